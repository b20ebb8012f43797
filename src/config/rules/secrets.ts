import type { KeyPath } from "../problems.ts";
import { valueAt } from "../raw.ts";
import type { RuleContext } from "./report.ts";

/** Secrets that are sent along in a header; the others are compared, or handed to a tool. */
const sentAlong: KeyPath[] = [
  ["api_key"],
  ["channels_config", "whatsapp", "access_token"],
  ["channels_config", "wati", "api_token"],
  ["agent", "bearer_token"],
  ["transcription", "api_key"],
  ["transcription", "openai", "api_key"],
  ["transcription", "deepgram", "api_key"],
  ["transcription", "assemblyai", "api_key"],
  ["transcription", "google", "api_key"],
  ["transcription", "local_whisper", "bearer_token"],
  ["tts", "openai", "api_key"],
  ["tts", "elevenlabs", "api_key"],
  ["tts", "google", "api_key"],
];

const unfit =
  "holds a character that no header of a request can carry; copy it anew: it may be cut short (…) or broken over lines";

/** A token that no request can carry would fail each of them, long after it was copied. */
export function checkSentAlong({ config, error }: RuleContext): void {
  for (const path of sentAlong) {
    const value = valueAt(config, path);
    if (typeof value === "string" && !fitsHeader(value)) error(path, unfit);
  }
}

function fitsHeader(value: string): boolean {
  try {
    new Headers({ authorization: `Bearer ${value}` });
    return true;
  } catch {
    return false;
  }
}
