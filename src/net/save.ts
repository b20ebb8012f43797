import { builtin } from "../runtime/builtin.ts";
import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DownloadFailure } from "./download.ts";

/**
 * Writes a stream to `path`, readable by the owner alone (0600), all or nothing: it grows beside its place and is moved
 * there once it is whole and on disk. Throws {@link DownloadFailure} `too_large` beyond `maxBytes`, and whatever the
 * stream or the file system throws; nothing is left behind then. The folder must exist; a file at `path` is replaced.
 * Answers its length, bytes.
 */
export async function saveStream(
  stream: ReadableStream<Uint8Array>,
  path: string,
  options: { maxBytes: number },
): Promise<number> {
  const growing = `${path}.${builtin.crypto().randomBytes(6).toString("hex")}.part`;
  const reader = stream.getReader();
  let size = 0;
  try {
    const file = await open(growing, "wx", 0o600);
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        size += value.length;
        if (size > options.maxBytes) {
          throw new DownloadFailure(
            "too_large",
            `the file is larger than ${options.maxBytes} bytes`,
          );
        }
        for (let from = 0; from < value.length;) {
          from += (await file.write(value, from)).bytesWritten;
        }
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(growing, path);
  } catch (error) {
    reader.cancel(error).catch(() => {});
    await rm(growing, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
  return size;
}

/** The name is on disk only with its folder; systems that cannot sync folders need not. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => null);
  await folder?.sync().catch(() => {});
  await folder?.close();
}
