import type { KeyPath } from "../problems.ts";
import { valueAt } from "../raw.ts";
import type { Config } from "../schema.ts";
import { bareToken } from "../token.ts";
import type { RuleContext } from "./report.ts";

/** Secrets that go into a header, where they are used; the others are compared, or handed to a tool. */
const headerSecrets: [path: KeyPath, isUsed: (config: Config) => boolean][] = [
  [["api_key"], ({ agent }) => (agent?.kind ?? "model") === "model"],
  [
    ["channels_config", "whatsapp", "access_token"],
    ({ channels_config }) => channels_config.whatsapp?.phone_number_id !== undefined,
  ],
  [["channels_config", "wati", "api_token"], () => true],
  [["agent", "bearer_token"], ({ agent }) => agent?.kind === "webhook"],
  [["transcription", "api_key"], ({ transcription }) => transcription?.enabled === true],
  ...["openai", "deepgram", "assemblyai", "google"].map((name) => transcriberKey(name, "api_key")),
  transcriberKey("local_whisper", "bearer_token"),
  ...["openai", "elevenlabs", "google"].map(speakerKey),
];

function transcriberKey(name: string, key: string): (typeof headerSecrets)[number] {
  return [
    ["transcription", name, key],
    ({ transcription: it }) => it?.enabled === true && it.default_provider === name,
  ];
}

function speakerKey(name: string): (typeof headerSecrets)[number] {
  return [
    ["tts", name, "api_key"],
    ({ tts }) => tts?.enabled === true && tts.default_provider === name,
  ];
}

const unfit =
  "holds a character that no header of a request can carry; copy it anew: it may be cut short (…) or broken over lines";

const bare = "holds no token, but the word before it alone; copy it anew";

const torn = "has a blank in it; copy it anew, unless it looks so where it came from";

/** A token that no request can carry would fail each of them, long after it was copied. */
export function checkHeaderSecrets({ config, error, warn }: RuleContext): void {
  for (const [path, isUsed] of headerSecrets) {
    const value = valueAt(config, path);
    if (typeof value !== "string" || !isUsed(config)) continue;
    if (bareToken(value) === "") error(path, bare);
    else if (!fitsHeader(value)) error(path, unfit);
    else if (/\s/.test(bareToken(value))) warn(path, torn);
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
