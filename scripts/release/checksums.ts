import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

/** The text of `SHA256SUMS` for these files of a folder: what `sha256sum` writes and `sha256sum --check` reads. */
export async function checksums(folder: string, names: readonly string[]): Promise<string> {
  let text = "";
  for (const name of names.toSorted()) {
    const hash = createHash("sha256");
    await pipeline(createReadStream(join(folder, name)), hash);
    text += `${hash.digest("hex")}  ${name}\n`;
  }
  return text;
}
