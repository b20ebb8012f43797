/** One file of an archive. */
export interface TarEntry {
  /** At most 100 bytes, with `/` between folders. */
  path: string;
  content: Uint8Array;
  executable: boolean;
}

const block = 512;

/**
 * A POSIX ustar archive that depends on its arguments alone: entries sorted by path, owner and group 0 without names,
 * modes 0755 and 0644, every time `modifiedAt` (Unix seconds). Answers the pieces in order. Throws where a path is too
 * long for the format. Pure.
 * https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06
 */
export function tarOf(entries: readonly TarEntry[], modifiedAt: number): Uint8Array[] {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const pieces = sorted.flatMap(({ path, content, executable }) => [
    header(path, content.length, executable ? 0o755 : 0o644, modifiedAt),
    content,
    new Uint8Array((block - (content.length % block)) % block),
  ]);
  return [...pieces, new Uint8Array(2 * block)];
}

function header(path: string, bytes: number, mode: number, modifiedAt: number): Uint8Array {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for a tar archive`);
  const header = Buffer.alloc(block);
  const octal = (value: number, at: number, length: number) =>
    header.write(value.toString(8).padStart(length - 1, "0"), at, "ascii");
  header.write(path, 0, "utf8");
  octal(mode, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(modifiedAt, 136, 12);
  // The sum counts its own field as spaces.
  header.write(" ".repeat(8), 148, "ascii");
  header.write("0", 156, "ascii");
  header.write("ustar\u000000", 257, "ascii");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148, "ascii");
  return header;
}
