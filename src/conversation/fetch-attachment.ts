import { mkdir, readdir, rm, rmdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { TurnAttachment } from "../agent/agent.ts";
import type { Channel } from "../channels/channel.ts";
import type { MediaKind, MediaReference } from "../channels/message.ts";
import { DownloadFailure } from "../net/download.ts";
import { extensionOf } from "../net/extension.ts";
import { safeFilename } from "../net/filename.ts";
import { saveStream } from "../net/save.ts";
import { looksOf, sniffMimeType, sniffStream, trueMimeType } from "../net/sniff.ts";
import { builtin } from "../runtime/builtin.ts";
import { sleep } from "../runtime/clock.ts";
import type { PendingMessage } from "../store/contract.ts";
import { endOfId } from "../telemetry/message-id.ts";
import { findFile, noted, type FoundFile } from "./files.ts";
import { hasMediaRoom } from "./media-room.ts";
import type { PrepareOptions, PrepareSignals } from "./prepare.ts";
import { reasonOf } from "./reason.ts";

const MEGABYTE = 1024 * 1024;
/** Before a file is asked for once more, ms: a person waits meanwhile, and would have to send it again without it. */
const PAUSE = 1_000;

/** Largest file taken from a platform, bytes (Meta lets people send up to 100 MB; sound is heard, so 25). */
const maxBytes: Record<MediaKind, number> = {
  image: 25 * MEGABYTE,
  audio: 25 * MEGABYTE,
  video: 100 * MEGABYTE,
  document: 100 * MEGABYTE,
  sticker: 5 * MEGABYTE,
};

/**
 * Fetches one file of a message under the home. One that cannot be fetched, or not before `patience` ends, says why in
 * its `error`. Throws only the reason of `signal`.
 */
export async function fetchAttachment(
  options: PrepareOptions,
  channel: Channel,
  entry: PendingMessage,
  media: MediaReference,
  index: number,
  { signal, patience }: PrepareSignals,
): Promise<TurnAttachment> {
  const { store, log } = options;
  const folder = join(options.mediaFolder, folderOf(channel, entry));
  const name = safeFilename(media.filename, media.kind);
  const numbered = `${index + 1}-${name}`;
  // Agents put such a name into paths of their own.
  const filename = media.filename === null ? null : name;
  const described = { kind: media.kind, filename };
  try {
    // A turn that a restart repeats finds its files where it left them.
    const found = await fetchedBefore(folder, numbered, media, store.attachmentPaths(entry.id));
    if (found !== null) {
      const { path, size, mimeType } = found;
      return { ...described, mime_type: mimeType, size, path };
    }
    if (!hasMediaRoom(options)) {
      throw new Error("the space for attachments is used up ([store] max_media_bytes)");
    }
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeLeftovers(folder);
    const fetchOnce = async () => {
      patience.throwIfAborted();
      const stream = await channel.openMedia(media, patience);
      const { body, mimeType } = await sniffStream(
        stream.body,
        media.kind,
        stream.mimeType ?? media.mimeType,
      );
      const path = join(folder, numbered + endingOf(media, mimeType));
      const size = await noted(path, async () => {
        const bytes = await saveStream(body, path, { maxBytes: maxBytes[media.kind] });
        await store.addAttachments(entry.id, [{ path, bytes }]);
        return bytes;
      });
      return { ...described, mime_type: mimeType, size, path };
    };
    return await fetchOnce().catch(async (error: unknown) => {
      if (!(error instanceof DownloadFailure && error.mayPass)) throw error;
      await sleep(options.clock, PAUSE, patience).catch(() => {});
      if (patience.aborted) throw error;
      await mkdir(folder, { recursive: true, mode: 0o700 });
      return fetchOnce();
    });
  } catch (error) {
    // Retention knows of files, so a folder without any would stay.
    await rmdir(folder).catch(() => {});
    if (signal.aborted) throw signal.reason;
    const reason = reasonOf(error);
    log.warn(
      { id: endOfId(entry.message.id), kind: media.kind, reason },
      "an attachment was not fetched",
    );
    return { ...described, mime_type: media.mimeType, size: null, path: null, error: reason };
  }
}

/**
 * A store that is begun anew, or put back from a copy, counts its messages over again, and the files of those before
 * lie there still: the number alone would hand one person's file to another.
 */
function folderOf({ name, account }: Channel, { id, message }: PendingMessage): string {
  const hash = builtin.crypto().createHash("sha256");
  return `${id}-${hash.update([name, account, message.id].join("\n")).digest("hex").slice(0, 16)}`;
}

/** What a daemon that was killed had begun to fetch. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.endsWith(".part")) await rm(join(folder, name), { force: true });
  }
}

/** A file that its sender did not name is named after what it is: programs and services tell formats by the ending. */
function endingOf({ filename }: MediaReference, mimeType: string): string {
  const extension = filename === null ? extensionOf(mimeType) : null;
  return extension === null ? "" : `.${extension}`;
}

/**
 * The file that an earlier try of the turn fetched whole, as it was noted: an agent may have laid files of its own beside
 * it, or in its place, under names like it. null where there is none, or none of its kind.
 */
async function fetchedBefore(
  folder: string,
  numbered: string,
  media: MediaReference,
  notedPaths: readonly string[],
): Promise<{ path: string; size: number; mimeType: string } | null> {
  for (const path of notedPaths) {
    const name = basename(path);
    const isOurs =
      name === numbered || (media.filename === null && name.startsWith(`${numbered}.`));
    if (!isOurs || dirname(path) !== folder) continue;
    const file = await findFile(path).catch(() => null);
    const mimeType = file && (await mimeTypeOf(file, media));
    if (mimeType) return { path, size: file.size, mimeType };
  }
  return null;
}

/** The true type of a file; null where it is none of its kind. */
async function mimeTypeOf({ head }: FoundFile, media: MediaReference): Promise<string | null> {
  return trueMimeType(media.kind, await sniffMimeType(head), media.mimeType, looksOf(head));
}
