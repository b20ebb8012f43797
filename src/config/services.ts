import { providerNames } from "./rules/agent.ts";
import { transcriptionProviders, ttsProviders } from "./schema-speech.ts";

/** What reaches out, by the names that `[proxy] services` selects. */
export const services: readonly string[] = [
  "channel.whatsapp",
  "channel.wati",
  "agent.webhook",
  "tunnel",
  ...[...providerNames, "custom"].map((name) => `provider.${name}`),
  ...transcriptionProviders.map((name) => `transcription.${name}`),
  ...ttsProviders.map((name) => `tts.${name}`),
];

/** `channel.*` and `*` stand for any characters; case does not count. */
export function selects(selector: string, service: string): boolean {
  const parts = selector.trim().toLowerCase().split("*");
  const name = service.toLowerCase();
  if (parts.length === 1) return parts[0] === name;
  const first = parts[0] ?? "";
  const last = parts.at(-1) ?? "";
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = name.indexOf(part, from);
    if (at < 0 || at + part.length > name.length - last.length) return false;
    from = at + part.length;
  }
  return true;
}
