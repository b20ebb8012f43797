import type { TurnAttachment } from "./agent.ts";
import { shorten } from "./shorten.ts";

/** One line that stands for a file, such as `[image photo.jpg]`; the name is the sender's and is kept to one line. */
export function describeAttachment(attachment: TurnAttachment): string {
  const name = attachment.filename?.replace(/[\s\p{Cc}[\]]+/gu, " ").trim();
  const label = [attachment.kind, shorten(name ?? "", 120)].filter(Boolean).join(" ");
  return attachment.path === null ? `[${label}, not available]` : `[${label}]`;
}
