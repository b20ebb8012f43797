import { describe, expect, test } from "bun:test";
import { hasValidSignature, signAdHoc } from "../../scripts/build/mach-o.ts";

const signatureAt = 3 * 4096 + 100;
const linkEditAt = 2 * 4096;

/** A Mach-O file of three load commands, with the signature of another file at its end. */
function executable(): Buffer {
  const file = Buffer.alloc(signatureAt + 64, "x");
  file.fill(0, 0, 32 + 72 + 72 + 16);
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE(3, 16);
  const segment = (at: number, name: string, fileAt: number, bytes: number) => {
    file.writeUInt32LE(0x19, at);
    file.writeUInt32LE(72, at + 4);
    file.write(name, at + 8, "ascii");
    file.writeBigUInt64LE(BigInt(fileAt), at + 40);
    file.writeBigUInt64LE(BigInt(bytes), at + 48);
  };
  segment(32, "__TEXT", 0, linkEditAt);
  segment(32 + 72, "__LINKEDIT", linkEditAt, file.length - linkEditAt);
  file.writeUInt32LE(0x1d, 176);
  file.writeUInt32LE(16, 180);
  file.writeUInt32LE(signatureAt, 184);
  file.writeUInt32LE(64, 188);
  const stale = [0xfade0cc0, 64, 1, 0, 20, 0xfade0c02];
  stale.forEach((word, index) => file.writeUInt32BE(word, signatureAt + 4 * index));
  return file;
}

describe("an ad-hoc signature", () => {
  const signed = signAdHoc(executable(), "revka");

  test("is valid where the one before was not", () => {
    expect(hasValidSignature(executable())).toBe(false);
    expect(hasValidSignature(signed)).toBe(true);
  });

  test.each([0, 4096, signatureAt - 1])("is void once the byte at %d changes", (at) => {
    const changed = Buffer.from(signed);
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
    // The first byte is the magic number, by which the file is known at all.
    if (at === 0) expect(() => hasValidSignature(changed)).toThrow("no Mach-O");
    else expect(hasValidSignature(changed)).toBe(false);
  });

  test("is void once it does not cover everything before it", () => {
    const shortened = Buffer.from(signed);
    shortened.writeUInt32BE(4096, signatureAt + 20 + 32);
    expect(hasValidSignature(shortened)).toBe(false);
  });

  test("ends with the file, and the last segment with it", () => {
    expect(signed.readUInt32LE(188)).toBe(signed.length - signatureAt);
    expect(signed.readBigUInt64LE(32 + 72 + 48)).toBe(BigInt(signed.length - linkEditAt));
  });

  test("depends on the file alone, and signing again changes nothing", () => {
    expect(signAdHoc(executable(), "revka").equals(signed)).toBe(true);
    expect(signAdHoc(signed, "revka").equals(signed)).toBe(true);
  });
});
