import type { WhatsAppConfig } from "./schema.ts";

/** What this build can do. */
export interface Features {
  whatsappWeb: boolean;
}

export type BackendSelection =
  /** There is no `[channels_config.whatsapp]`. */
  | { kind: "absent" }
  /** `warning` is for start-up and `doctor`, else null. */
  | { kind: "run"; backend: "cloud" | "web"; warning: string | null }
  | { kind: "skip"; code: "config-invalid" | "feature-missing"; message: string };

const rebuildHint = "bun run build --features whatsapp-web";

/**
 * Which WhatsApp backend the configuration selects: `phone_number_id` Cloud, else `session_path` Web. Blank counts as
 * unset.
 */
export function selectBackend(
  whatsapp: Pick<WhatsAppConfig, "phone_number_id" | "session_path"> | undefined,
  features: Features,
): BackendSelection {
  if (whatsapp === undefined) return { kind: "absent" };
  const cloud = isSet(whatsapp.phone_number_id);
  const web = isSet(whatsapp.session_path);
  if (cloud) return { kind: "run", backend: "cloud", warning: web ? bothSelectors : null };
  if (!web) return { kind: "skip", code: "config-invalid", message: noSelector };
  if (features.whatsappWeb) return { kind: "run", backend: "web", warning: null };
  return { kind: "skip", code: "feature-missing", message: noFeature };
}

const isSet = (value: string | undefined): boolean => value !== undefined && value.trim() !== "";

const bothSelectors =
  "channels_config.whatsapp has phone_number_id and session_path: Cloud API mode is used; remove one of the two";

const noSelector =
  "config-invalid: channels_config.whatsapp has neither phone_number_id (Cloud API) nor session_path (Web); " +
  "the channel is skipped";

const noFeature =
  "config-invalid: channels_config.whatsapp selects Web mode, which this build does not hold; the channel is " +
  "skipped. " +
  `Use the whatsapp-web variant, or rebuild: ${rebuildHint}`;
