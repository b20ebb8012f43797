import { createCipheriv, createHash, createHmac, randomBytes } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { z } from "zod";
import { readBody } from "../../net/body.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { MediaKind } from "../message.ts";
import { MAC_BYTES, mediaKeys, uploadPath } from "./media-keys.ts";
import type { UploadedFile } from "./outgoing.ts";

const MIB = 1024 * 1024;
/** What WhatsApp takes. Documents may be larger there; here they are held in memory once. */
export const mediaLimits: Record<MediaKind, number> = {
  image: 16 * MIB,
  video: 64 * MIB,
  audio: 16 * MIB,
  document: 100 * MIB,
  sticker: 1 * MIB,
};

const ORIGIN = "https://web.whatsapp.com";
const LONGEST_ANSWER = 64 * 1024;

const answerSchema = z.object({ url: z.string(), direct_path: z.string() });

/** Where to upload, as the server says over the socket. */
export interface MediaConnection {
  hosts: string[];
  auth: string;
}

/** The file cannot be sent, now or later. */
export class UnsendableFile extends Error {
  override readonly name = "UnsendableFile";
  constructor(
    readonly code: "file_missing" | "file_too_large" | "file_empty",
    message: string,
  ) {
    super(message);
  }
}

/** Every media server refused. */
export class UploadFailed extends Error {
  override readonly name = "UploadFailed";
}

/** Encrypts a file and lays it on a media server, by the channel's own fetch and proxy. */
export async function uploadFile(options: {
  path: string;
  kind: MediaKind;
  connection: MediaConnection;
  fetch: Fetch;
  now: number;
  signal: AbortSignal;
}): Promise<UploadedFile> {
  const { path, kind, connection, fetch, now, signal } = options;
  const plain = await readChecked(path, kind);
  const mediaKey = randomBytes(32);
  const { iv, cipherKey, macKey } = mediaKeys(mediaKey, kind);
  const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
  const ciphertext = Buffer.concat([cipher.update(plain), cipher.final()]);
  const mac = createHmac("sha256", macKey).update(iv).update(ciphertext).digest();
  const body = Buffer.concat([ciphertext, mac.subarray(0, MAC_BYTES)]);
  const fileEncSha256 = createHash("sha256").update(body).digest();
  const name = fileEncSha256.toString("base64url");
  const query = `auth=${encodeURIComponent(connection.auth)}&token=${name}`;
  for (const host of connection.hosts) {
    const url = `https://${host}${uploadPath(kind)}/${name}?${query}`;
    const headers = { "content-type": "application/octet-stream", origin: ORIGIN };
    try {
      const response = await fetch(url, { method: "POST", headers, body, signal });
      const text = Buffer.from(await readBody(response, LONGEST_ANSWER)).toString("utf8");
      const answer = answerSchema.safeParse(response.ok ? JSON.parse(text) : null);
      if (!answer.success) continue;
      return {
        url: answer.data.url,
        directPath: answer.data.direct_path,
        mediaKey,
        fileEncSha256,
        fileSha256: createHash("sha256").update(plain).digest(),
        fileLength: plain.length,
        mediaKeyTimestamp: Math.floor(now / 1000),
      };
    } catch {
      if (signal.aborted) throw signal.reason;
    }
  }
  throw new UploadFailed("no media server of WhatsApp took the file");
}

async function readChecked(path: string, kind: MediaKind): Promise<Buffer> {
  const size = await stat(path).then(
    ({ size }) => size,
    () => null,
  );
  if (size === null) throw new UnsendableFile("file_missing", "The file to send is gone.");
  if (size === 0) throw new UnsendableFile("file_empty", "The file to send is empty.");
  if (size > mediaLimits[kind]) {
    const limit = mediaLimits[kind] / MIB;
    throw new UnsendableFile("file_too_large", `WhatsApp takes at most ${limit} MiB as ${kind}.`);
  }
  return readFile(path);
}
