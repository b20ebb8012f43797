import * as v from "valibot";
import { once } from "../../runtime/once.ts";
import { optional } from "../../net/json-object.ts";
import { download, DownloadFailure, type Download } from "../../net/download.ts";
import type { MediaStream } from "../channel.ts";
import type { MediaReference } from "../message.ts";
import type { Graph } from "./graph.ts";
import { isMediaAddress } from "./media-hosts.ts";

/** Meta takes no larger file from anybody (131052). */
const maxBytes = 100 * 1024 * 1024;

/** The caller has a shorter patience of its own; this ends what it forgot. */
const totalMs = 600_000;

const infoShape = once(() =>
  v.object({
    url: v.string(),
    mime_type: optional(v.string()),
  }),
);

/** A file that cannot be had. `code` is fit for a log, the message for a person; neither holds an address. */
export class MediaUnavailable extends Error {
  override readonly name = "MediaUnavailable";
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/**
 * Opens the bytes of an inbound file: its address by its id, then the address itself, which lives five minutes and
 * wants the token; a 404 asks for the address once more. Only hosts of Meta's are asked, after each redirect too, and
 * the token goes to the host that the Graph API named and no other. Throws {@link MediaUnavailable},
 * {@link DownloadFailure} or the signal's reason. Source: Meta, business-phone-numbers/media.
 */
export async function openMedia(
  graph: Graph,
  phoneNumberId: string,
  media: MediaReference,
  signal: AbortSignal,
): Promise<MediaStream> {
  const open = async () => {
    const { url, mimeType } = await locate(graph, phoneNumberId, media, signal);
    const file = await fetchFile(graph, url, signal);
    return { body: file.body, mimeType: media.mimeType ?? mimeType ?? file.mimeType };
  };
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof DownloadFailure) || error.status !== 404) throw error;
    return await open();
  }
}

async function locate(
  graph: Graph,
  phoneNumberId: string,
  media: MediaReference,
  signal: AbortSignal,
): Promise<{ url: string; mimeType: string | null }> {
  const { id, url } = media.source;
  if (typeof id !== "string") {
    if (typeof url === "string") return { url, mimeType: null };
    throw new MediaUnavailable("media_id", "The file has no id.");
  }
  // An id comes from outside and becomes part of a path.
  if (!/^[\w-]{1,256}$/.test(id)) {
    throw new MediaUnavailable("media_id", "The id of the file is malformed.");
  }
  const answer = await graph.call({
    method: "GET",
    path: `${id}?phone_number_id=${encodeURIComponent(phoneNumberId)}`,
    answer: infoShape(),
    signal,
  });
  signal.throwIfAborted();
  if (!answer.ok) {
    const { retry, afterMs, code, hint } = answer.failure;
    const passing = retry === "backoff" || retry === "ambiguous" || retry === "unsent";
    // What took its time already, and what asks for a pause, is not asked again after a moment.
    const passes = passing && code !== "timeout" && afterMs === null;
    throw passes ? new DownloadFailure("network", hint) : new MediaUnavailable(code, hint);
  }
  return { url: answer.value.url, mimeType: answer.value.mime_type ?? null };
}

function fetchFile(graph: Graph, url: string, signal: AbortSignal): Promise<Download> {
  const { fetch, clock, accessToken, baseUrl } = graph.options;
  return download({
    url,
    fetch,
    clock,
    signal,
    bearer: accessToken,
    allows: (address) => isMediaAddress(address, baseUrl),
    maxBytes,
    totalMs,
  });
}
