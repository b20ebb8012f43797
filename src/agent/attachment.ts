import type { TurnAttachment } from "./agent.ts";

/** One line that stands for a file, such as `[image photo.jpg]`; the name is the sender's and is kept to one line. */
export function describeAttachment(attachment: TurnAttachment): string {
  const name = attachment.filename
    ?.replace(/[\s\p{Cc}[\]]+/gu, " ")
    .trim()
    .slice(0, 120);
  const label = [attachment.kind, name].filter(Boolean).join(" ");
  return attachment.path === null ? `[${label}, not available]` : `[${label}]`;
}
