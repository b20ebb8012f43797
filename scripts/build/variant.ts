import type { Revision } from "./revision.ts";
import type { Target } from "./target.ts";

export type Variant = "default" | "whatsapp-web";

/** The variant that `--features` asks for. Throws a message for a person where there is no such feature. */
export function variantOf(features: string | undefined): Variant {
  const asked = (features ?? "").split(",").filter(Boolean);
  const unknown = asked.filter((feature) => feature !== "whatsapp-web");
  if (unknown.length > 0) {
    throw new Error(`unknown feature "${unknown.join(", ")}"; there is whatsapp-web`);
  }
  return asked.length > 0 ? "whatsapp-web" : "default";
}

/** `-whatsapp-web` for the names of that variant's files. */
export function variantSuffix(variant: Variant): string {
  return variant === "default" ? "" : `-${variant}`;
}

/** The constants that the source reads (`src/runtime/build-info.ts`), as JavaScript. */
export function definesOf(
  variant: Variant,
  target: Target,
  revision: Revision,
): Record<string, string> {
  return {
    REVKA_VERSION: JSON.stringify(revision.version),
    REVKA_COMMIT: JSON.stringify(revision.commit),
    REVKA_TARGET: JSON.stringify(target),
    REVKA_BUILT_AT: String(revision.committedAt * 1000),
    REVKA_WHATSAPP_WEB: String(variant === "whatsapp-web"),
  };
}
