import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "./error-code.ts";

/**
 * Secrets that a service manager may hand over as files (systemd: LoadCredential=, SetCredentialEncrypted=), each
 * with the config key it stands for. A credential wins over the file; an environment variable wins over both.
 */
export const credentials = {
  "revka-whatsapp-access-token": "channels_config.whatsapp.access_token",
  "revka-whatsapp-app-secret": "channels_config.whatsapp.app_secret",
  "revka-whatsapp-verify-token": "channels_config.whatsapp.verify_token",
  "revka-wati-api-token": "channels_config.wati.api_token",
  "revka-wati-webhook-secret": "channels_config.wati.webhook_secret",
  "revka-api-key": "api_key",
  "revka-agent-bearer-token": "agent.bearer_token",
  "revka-transcription-api-key": "transcription.api_key",
  /** The key that encrypts the WhatsApp Web session; no config key holds it, and the channel reads it by itself. */
  "revka-session-key": null,
} as const satisfies Record<string, string | null>;

export type CredentialName = keyof typeof credentials;

/** Config of a service that has no account of its own: readable by root alone, handed over as a credential. */
export const configCredential = "revka-config";

/** Far above any token, far below what could hurt. systemd allows 1 MiB. */
const largestBytes = 64 * 1024;

/**
 * The credential's text without its final line break, or null where none was handed over. Throws where there is one
 * that cannot be read, is empty or over 64 KiB: to go on without it would quietly run with another secret.
 */
export function readCredential(
  name: CredentialName,
  env: Readonly<Record<string, string | undefined>>,
): string | null {
  const folder = env["CREDENTIALS_DIRECTORY"];
  if (!folder) return null;
  const file = join(folder, name);
  let bytes: number;
  try {
    bytes = statSync(file).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return null;
    throw new Error(`the credential ${file} cannot be read`, { cause: error });
  }
  if (bytes > largestBytes) throw new Error(`the credential ${file} is over ${largestBytes} bytes`);
  const text = readFileSync(file, "utf8").replace(/\r?\n$/, "");
  if (text === "") throw new Error(`the credential ${file} is empty`);
  return text;
}
