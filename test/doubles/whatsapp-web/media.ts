import { createCipheriv, createDecipheriv, createHmac, randomBytes } from "node:crypto";
import { type MediaType as KeyType, getMediaKeys, sha256 } from "@whiskeysockets/baileys";
import type { MediaPart, MediaType } from "./received.ts";
import { Recorder } from "./recorder.ts";

/** Length of the MAC that ends an encrypted file. */
const MAC = 10;

/** The file fields every media message has. */
export interface EncryptedFile {
  url: string;
  directPath: string;
  mediaKey: Buffer;
  fileSha256: Buffer;
  fileEncSha256: Buffer;
  fileLength: number;
  mediaKeyTimestamp: number;
}

/** Encrypted files by direct path, and WhatsApp's media encryption from the phones' side. */
export class MediaStore {
  readonly files = new Map<string, Buffer>();
  readonly uploads = new Recorder<{ path: string; bytes: number }>("upload");
  readonly downloads = new Recorder<{ path: string; status: number }>("download");
  /** what the phones that sent or received a file keep of it, by the path it was sent with */
  private readonly kept = new Map<string, Buffer>();
  /** the status of files that are not there */
  gone = 404;
  /** `127.0.0.1:port` of the media server; empty while there is none */
  host = "";

  /** Encrypts a file as a phone does and puts it where clients fetch it. */
  async encrypt(plaintext: Uint8Array, type: KeyType): Promise<EncryptedFile> {
    const mediaKey = randomBytes(32);
    const { iv, cipherKey, macKey } = await getMediaKeys(mediaKey, type);
    const cipher = createCipheriv("aes-256-cbc", cipherKey, iv);
    const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
    const mac = createHmac("sha256", macKey ?? "")
      .update(iv)
      .update(body)
      .digest();
    const file = Buffer.concat([body, mac.subarray(0, MAC)]);
    const directPath = this.put(`/mms/${type}`, file);
    return {
      url: `https://${this.host}${directPath}`,
      directPath,
      mediaKey,
      fileSha256: sha256(Buffer.from(plaintext)),
      fileEncSha256: sha256(file),
      fileLength: plaintext.length,
      mediaKeyTimestamp: Math.floor(Date.now() / 1000),
    };
  }

  /** Reads a file a client sent, checking length, MAC and both hashes as a phone does. */
  async decrypt(part: MediaPart, type: MediaType): Promise<Buffer> {
    const file = part.directPath ? this.files.get(part.directPath) : undefined;
    if (!file) throw new Error(`nothing was uploaded to ${part.directPath}`);
    if (!part.mediaKey) throw new Error("the message lacks its media key");
    const { iv, cipherKey, macKey } = await getMediaKeys(part.mediaKey, type);
    const body = file.subarray(0, -MAC);
    const mac = createHmac("sha256", macKey ?? "")
      .update(iv)
      .update(body)
      .digest();
    if (!mac.subarray(0, MAC).equals(file.subarray(-MAC))) throw new Error("media MAC mismatch");
    const decipher = createDecipheriv("aes-256-cbc", cipherKey, iv);
    const plaintext = Buffer.concat([decipher.update(body), decipher.final()]);
    if (!same(sha256(plaintext), part.fileSha256)) throw new Error("fileSha256 mismatch");
    if (!same(sha256(file), part.fileEncSha256)) throw new Error("fileEncSha256 mismatch");
    return plaintext;
  }

  put(folder: string, file: Buffer): string {
    const path = `${folder}/${randomBytes(12).toString("hex")}.enc`;
    this.files.set(path, file);
    this.kept.set(path, file);
    return path;
  }

  /** All that was uploaded is too old by now; phones keep what they have. */
  expire(status = 404): void {
    this.files.clear();
    this.gone = status;
  }

  /** A phone uploads a file again that was sent with this path. */
  uploadAgain(path: string): string {
    const file = this.kept.get(path);
    if (!file) throw new Error(`nothing was uploaded to ${path}`);
    return this.put(path.slice(0, path.lastIndexOf("/")), file);
  }
}

function same(a: Uint8Array, b: Uint8Array | null | undefined): boolean {
  return b !== null && b !== undefined && Buffer.from(a).equals(Buffer.from(b));
}
