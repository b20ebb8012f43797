import { createHash, randomInt } from "node:crypto";
import { graphError, parameterError, refuse } from "./errors.ts";

export interface StoredMedia {
  id: string;
  mimeType: string;
  filename: string | null;
  bytes: Uint8Array;
  /** Hex. */
  sha256: string;
}

const megabyte = 1024 * 1024;

/** Largest upload by type, from Meta's page "Media": what is not listed is refused. */
const uploadLimits: readonly (readonly [RegExp, number])[] = [
  [/^audio\/(aac|amr|mpeg|mp4|ogg)$/, 16 * megabyte],
  [/^image\/(jpeg|png)$/, 5 * megabyte],
  [/^image\/webp$/, 500 * 1024],
  [/^video\/(mp4|3gpp)$/, 16 * megabyte],
  [/^text\/plain$/, 100 * megabyte],
  [/^application\/(pdf|msword|vnd\.ms-excel|vnd\.ms-powerpoint)$/, 100 * megabyte],
  [/^application\/vnd\.openxmlformats-officedocument\.[a-z.]+$/, 100 * megabyte],
];

/** How long an address of a file works: five minutes. */
const addressLifetimeMs = 5 * 60 * 1000;

/** Files that the business uploaded and files of customers. */
export class MediaStore {
  readonly #files = new Map<string, StoredMedia>();
  /** Secret part of an address → file and end of life. */
  readonly #addresses = new Map<string, { id: string; until: number }>();

  /** Keeps a customer's file; nothing is checked. */
  add(bytes: Uint8Array, mimeType: string, filename: string | null = null): StoredMedia {
    const id = String(randomInt(10 ** 12, 10 ** 14)) + String(randomInt(10, 99));
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const file = { id, mimeType, filename, bytes, sha256 };
    this.#files.set(id, file);
    return file;
  }

  /**
   * Takes the multipart form of `POST /{phone-number-id}/media`: `messaging_product`, `file`, and `type` (the media
   * type; the file part's own counts where it is absent). Throws a `GraphRefusal`.
   */
  async upload(form: FormData): Promise<StoredMedia> {
    if (form.get("messaging_product") !== "whatsapp") {
      refuse(parameterError("The parameter messaging_product is required."));
    }
    const file = form.get("file");
    if (!(file instanceof Blob)) refuse(parameterError("The parameter file is required."));
    const stated = form.get("type");
    const full = typeof stated === "string" && stated !== "" ? stated : file.type;
    const mimeType = full.split(";")[0]?.trim().toLowerCase() ?? "";
    const limit = uploadLimits.find(([pattern]) => pattern.test(mimeType))?.[1];
    if (limit === undefined) {
      refuse(
        parameterError(
          "Param file must be a file with one of the following types: audio/aac, audio/mp4, audio/mpeg, " +
            "audio/amr, audio/ogg, image/jpeg, image/png, image/webp, video/mp4, video/3gpp, text/plain, " +
            `application/pdf, ... . Received file of type '${mimeType}'.`,
        ),
      );
    }
    if (file.size === 0) refuse(graphError(131053, "The file is empty"));
    if (file.size > limit) {
      refuse(graphError(131053, `The file has ${file.size} bytes, ${limit} are allowed`));
    }
    const name = file instanceof File ? file.name : null;
    return this.add(new Uint8Array(await file.arrayBuffer()), full, name);
  }

  get(id: string): StoredMedia | undefined {
    return this.#files.get(id);
  }

  delete(id: string): boolean {
    return this.#files.delete(id);
  }

  /** Path and query under which the bytes can be fetched for five minutes. */
  address(file: StoredMedia, now: number): string {
    const hash = createHash("sha256").update(`${file.id} ${now}`).digest("base64url");
    this.#addresses.set(hash, { id: file.id, until: now + addressLifetimeMs });
    return `${mediaPath}?mid=${file.id}&ext=${Math.floor((now + addressLifetimeMs) / 1000)}&hash=${hash}`;
  }

  /** The file behind an address, or undefined where it is unknown or too old. */
  resolve(query: URLSearchParams, now: number): StoredMedia | undefined {
    const address = this.#addresses.get(query.get("hash") ?? "");
    if (!address || address.until < now || address.id !== query.get("mid")) return undefined;
    return this.#files.get(address.id);
  }
}

/** Where the bytes lie; Meta's own host is lookaside.fbsbx.com. */
export const mediaPath = "/whatsapp_business/attachments/";
