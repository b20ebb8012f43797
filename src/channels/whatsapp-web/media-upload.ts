import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import * as v from "valibot";
import { readBody } from "../../net/body.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { MediaKind } from "../message.ts";
import type { MediaConnection } from "./media-connection.ts";
import { MAC_BYTES, type MediaKeys, mediaKeys, uploadPath } from "./media-keys.ts";
import type { UploadedFile } from "./outgoing.ts";

const MIB = 1024 * 1024;
/** What WhatsApp takes; documents may be larger there. */
export const mediaLimits: Record<MediaKind, number> = {
  image: 16 * MIB,
  video: 64 * MIB,
  audio: 16 * MIB,
  document: 100 * MIB,
  sticker: 1 * MIB,
};

const ORIGIN = "https://web.whatsapp.com";
const LONGEST_ANSWER = 64 * 1024;

const answerSchema = v.object({ url: v.string(), direct_path: v.string() });

/** The file cannot be sent, now or later. */
export class UnsendableFile extends Error {
  override readonly name = "UnsendableFile";
  constructor(
    readonly code: "file_missing" | "file_too_large" | "file_empty" | "file_type",
    message: string,
  ) {
    super(message);
  }
}

/** Every media server refused. */
export class UploadFailed extends Error {
  override readonly name = "UploadFailed";
}

/**
 * Encrypts a file and lays it on a media server, by the channel's own fetch and proxy. The file is read twice, first
 * for the hash that its address holds, and never held whole: a computer with 512 MiB can send a large one.
 */
export async function uploadFile(options: {
  path: string;
  kind: MediaKind;
  mimeType: string;
  connection: MediaConnection;
  fetch: Fetch;
  now: number;
  signal: AbortSignal;
}): Promise<UploadedFile> {
  const { path, kind, connection, fetch, now, signal } = options;
  checkType(kind, options.mimeType);
  const fileLength = await checkedSize(path, kind);
  const mediaKey = randomBytes(32);
  const keys = mediaKeys(mediaKey, kind);
  const plainHash = createHash("sha256");
  const hash = createHash("sha256");
  for await (const chunk of encrypted(path, keys, (plain) => plainHash.update(plain))) {
    hash.update(chunk);
  }
  const fileEncSha256 = hash.digest();
  const name = fileEncSha256.toString("base64url");
  const query = `auth=${encodeURIComponent(connection.auth)}&token=${name}`;
  for (const host of connection.hosts) {
    const url = `https://${host}${uploadPath(kind)}/${name}?${query}`;
    try {
      const response = await fetch(url, {
        ...streamed(encrypted(path, keys)),
        method: "POST",
        headers: { "content-type": "application/octet-stream", origin: ORIGIN },
        signal,
      });
      const text = Buffer.from(await readBody(response, LONGEST_ANSWER)).toString("utf8");
      const answer = v.safeParse(answerSchema, response.ok ? JSON.parse(text) : null);
      if (!answer.success) continue;
      return {
        url: answer.output.url,
        directPath: answer.output.direct_path,
        mediaKey,
        fileEncSha256,
        fileSha256: plainHash.digest(),
        fileLength,
        mediaKeyTimestamp: Math.floor(now / 1000),
      };
    } catch {
      if (signal.aborted) throw signal.reason;
    }
  }
  throw new UploadFailed("no media server of WhatsApp took the file");
}

/** WhatsApp takes anything, but phones show nothing where a file is not of the kind it is sent as. */
function checkType(kind: MediaKind, mimeType: string): void {
  if (kind === "document" || mimeType.startsWith(`${kind === "sticker" ? "image" : kind}/`)) return;
  const hint = `WhatsApp shows no ${mimeType} as ${kind}: send it as a document.`;
  throw new UnsendableFile("file_type", hint);
}

async function checkedSize(path: string, kind: MediaKind): Promise<number> {
  const size = await stat(path).then(
    (found) => (found.isFile() ? found.size : null),
    () => null,
  );
  if (size === null) throw new UnsendableFile("file_missing", "The file to send is gone.");
  if (size === 0) throw new UnsendableFile("file_empty", "The file to send is empty.");
  if (size > mediaLimits[kind]) {
    const limit = mediaLimits[kind] / MIB;
    throw new UnsendableFile("file_too_large", `WhatsApp takes at most ${limit} MiB as ${kind}.`);
  }
  return size;
}

/** The file as it is uploaded: AES-256-CBC, then the MAC. */
async function* encrypted(
  path: string,
  { iv, cipherKey, macKey }: MediaKeys,
  onPlain: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<Uint8Array> {
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const mac = createHmac("sha256", macKey).update(iv);
  for await (const chunk of createReadStream(path)) {
    const plain = v.parse(v.instance(Uint8Array), chunk);
    onPlain(plain);
    const ciphertext = cipher.update(plain);
    mac.update(ciphertext);
    yield ciphertext;
  }
  const last = cipher.final();
  yield last;
  yield mac.update(last).digest().subarray(0, MAC_BYTES);
}

/** A body that is read as it is sent; `duplex` is what Node's fetch wants to hear for that. */
function streamed(chunks: AsyncGenerator<Uint8Array>): RequestInit & { duplex: "half" } {
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return(undefined);
    },
  });
  return { body, duplex: "half" };
}
