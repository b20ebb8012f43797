import { builtin } from "../runtime/builtin.ts";
import type { FileHandle } from "node:fs/promises";

const readBytes = 64 * 1024;

/** A file to be sent with a form. `size` in bytes; `mimeType` as {@link fileType} makes it. */
export interface FilePart {
  file: FileHandle;
  size: number;
  name: string;
  mimeType: string;
}

/** A media type without parameters, fit for a header. */
export function fileType(mimeType: string): string {
  const bare = (mimeType.split(";")[0] ?? "").trim().toLowerCase();
  return /^[\w.+-]+\/[\w.+-]+$/.test(bare) ? bare : "application/octet-stream";
}

/**
 * A multipart body (RFC 7578) of these fields and one `file`, which is read as it is sent and never whole in memory.
 * Its length is known, so that no proxy meets a chunked upload.
 */
export function multipartFile(
  fields: Record<string, string>,
  { file, size, name, mimeType }: FilePart,
): { body: ReadableStream<Uint8Array>; headers: Record<string, string> } {
  const boundary = `revka-${builtin.crypto().randomBytes(16).toString("hex")}`;
  const begin = (what: string) =>
    `--${boundary}\r\nContent-Disposition: form-data; name="${quoted(what)}"`;
  const texts = Object.entries(fields).map(([key, value]) => `${begin(key)}\r\n\r\n${value}\r\n`);
  const head = new TextEncoder().encode(
    `${texts.join("")}${begin("file")}; filename="${quoted(name)}"\r\nContent-Type: ${mimeType}\r\n\r\n`,
  );
  const tail = new TextEncoder().encode(`\r\n--${boundary}--\r\n`);
  return {
    body: concatenate(head, file, size, tail),
    headers: {
      "content-type": `multipart/form-data; boundary=${boundary}`,
      "content-length": String(head.length + size + tail.length),
    },
  };
}

/** As browsers write names (HTML, "multipart/form-data encoding algorithm"). */
function quoted(name: string): string {
  return name.replace(/["\r\n]/g, encodeURIComponent);
}

function concatenate(
  head: Uint8Array,
  file: FileHandle,
  size: number,
  tail: Uint8Array,
): ReadableStream<Uint8Array> {
  let position = 0;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        controller.enqueue(head);
      },
      async pull(controller) {
        const wanted = Math.min(readBytes, size - position);
        const { bytesRead, buffer } = await file.read(new Uint8Array(wanted), 0, wanted, position);
        if (bytesRead === 0) throw new Error("the file became shorter while it was sent");
        position += bytesRead;
        controller.enqueue(buffer.subarray(0, bytesRead));
        if (position < size) return;
        controller.enqueue(tail);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
