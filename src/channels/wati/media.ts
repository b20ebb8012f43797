import { download, DownloadFailure, withinOrigin } from "../../net/download.ts";
import { sniffStream } from "../../net/sniff.ts";
import type { MediaStream } from "../channel.ts";
import type { MediaReference } from "../message.ts";
import type { WatiClient } from "./api.ts";

/** WATI's files are taken up to this size. */
export const maxMediaBytes = 25 * 1024 * 1024;

/**
 * Opens the bytes of an inbound file. An address from the webhook is asked only if it has the scheme, host and port of
 * `api_url`, and so is every redirect: whoever can post to the webhook gets neither our token nor our network. Where
 * that address is foreign, missing or stale, the file is asked for by the message's ids. What arrives must be of the
 * kind announced. Throws {@link DownloadFailure} or the signal's reason. Source:
 * docs.wati.io/v2.5/reference/conversations_getmediafilebymessageid.
 */
export async function openMedia(
  client: WatiClient,
  media: MediaReference,
  signal: AbortSignal,
): Promise<MediaStream> {
  const { endpoint, fetch, clock } = client;
  const allows = withinOrigin(endpoint.baseUrl);
  // What is tried in its place tells less than why the address itself is not asked.
  let told: unknown = isForeign(media, allows)
    ? new DownloadFailure("address_refused", "the address leads to another host")
    : null;
  for (const url of addresses(media, client, allows)) {
    try {
      const file = await download({
        url,
        fetch,
        clock,
        signal,
        allows,
        bearer: endpoint.token,
        maxBytes: maxMediaBytes,
      });
      return await sniffStream(file.body, media.kind, file.mimeType);
    } catch (error) {
      // That a file is not there by its id tells less than why its address was no good.
      if (told === null || !isMissing(error)) told = error;
      if (!leavesHope(error)) break;
    }
  }
  throw told ?? new DownloadFailure("address_refused", "the message names no file of WATI's");
}

function isForeign({ source: { url } }: MediaReference, allows: (url: URL) => boolean): boolean {
  return typeof url === "string" && !(URL.canParse(url) && allows(new URL(url)));
}

/** Where the file may be, the likeliest first. */
function addresses(
  media: MediaReference,
  { endpoint }: WatiClient,
  allows: (url: URL) => boolean,
): string[] {
  const { url, path, id, whatsappId } = media.source;
  const found: string[] = [];
  if (typeof url === "string" && URL.canParse(url) && allows(new URL(url))) found.push(url);
  if (typeof path === "string" && endpoint.tenant !== null) {
    const name = encodeURIComponent(path);
    found.push(`${endpoint.baseUrl}/${endpoint.tenant}/api/file/showFile?fileName=${name}`);
  }
  for (const message of [id, whatsappId]) {
    // It comes from outside and becomes part of a path.
    if (typeof message !== "string" || /^\.+$/.test(message)) continue;
    found.push(
      `${endpoint.baseUrl}/api/ext/v3/conversations/messages/file/${encodeURIComponent(message)}`,
    );
  }
  return found;
}

function isMissing(error: unknown): boolean {
  return error instanceof DownloadFailure && error.status === 404;
}

/** Could another address of the same file do better? Not where the token or our pace is what was refused. */
function leavesHope(error: unknown): boolean {
  return (
    error instanceof DownloadFailure &&
    ((error.code === "status" && error.status !== 401 && error.status !== 429) ||
      error.code === "redirect_refused" ||
      error.code === "media_type")
  );
}
