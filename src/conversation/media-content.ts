import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import type { AgentPart, TurnRequest } from "../agent/agent.ts";
import type { DeliveryContent, MediaKind } from "../channels/message.ts";
import { typeOfName } from "../net/extension.ts";
import { safeFilename } from "../net/filename.ts";
import { saveStream } from "../net/save.ts";
import { looksOf, sniffMimeType, trueMimeType } from "../net/sniff.ts";
import type { ComposeOptions, ComposeTurn } from "./compose.ts";
import { headOf, noted, readOpusFile } from "./files.ts";
import { bytesOf, MAX_FILE, openHandedBack } from "./handed-back.ts";

/** A file of the agent as a delivery, from a copy of our own. Throws {@link AgentError} where it may not or cannot be sent. */
export async function mediaContent(
  options: ComposeOptions,
  request: TurnRequest,
  turn: ComposeTurn,
  part: Extract<AgentPart, { kind: "media" }>,
  index: number,
): Promise<DeliveryContent> {
  const source = await openHandedBack(part.path, request, options.mediaDir);
  const filename = safeFilename(part.filename ?? basename(source.path), part.media);
  const folder = join(options.mediaFolder, "out", request.turn_id);
  const path = join(folder, `${index + 1}-${filename}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await noted(path, async () => {
      // A copy, so that the agent may do with its own file what it likes before it is sent.
      const bytes = await saveStream(bytesOf(source.file), path, { maxBytes: MAX_FILE });
      await options.keep(turn.messageId, { path, bytes });
    });
  } finally {
    await source.file.close();
  }
  const mimeType = await typeOf(part.media, await headOf(path), filename);
  const opus = part.media === "audio" ? await readOpusFile(path) : null;
  const common = { path, filename, caption: part.caption };
  // WhatsApp plays mono Ogg/Opus as a voice note; other sound goes as a file to play.
  if (opus?.channels === 1) {
    const durationSecs = Math.max(1, Math.round(opus.durationSecs));
    return {
      kind: "media",
      media: "voice",
      ...common,
      mimeType: "audio/ogg; codecs=opus",
      durationSecs,
    };
  }
  return { kind: "media", media: part.media, ...common, mimeType, durationSecs: null };
}

/**
 * The type as platforms name it, since Meta takes no other: text is plain, sound alone in MP4 is audio. Of a picture,
 * sound or film without a mark, the name tells.
 */
async function typeOf(media: MediaKind, head: Uint8Array, filename: string): Promise<string> {
  const sniffed = await sniffMimeType(head);
  if (sniffed === null) {
    const looks = looksOf(head);
    const named =
      media === "document" ? null : trueMimeType(media, null, typeOfName(filename), looks);
    return named ?? (looks === "bytes" ? "application/octet-stream" : "text/plain");
  }
  if (sniffed === "audio/x-m4a") return "audio/mp4";
  return trueMimeType(media, sniffed, null) ?? sniffed;
}
