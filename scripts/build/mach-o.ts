import { createHash } from "node:crypto";

/**
 * Ad-hoc code signatures of Mach-O executables, as a linker writes them. macOS ends a program whose pages do not have
 * the hashes in its signature, and Bun 1.4.5 leaves that of the bare runtime in what it compiles for darwin-x64.
 * The structures: apple-oss-distributions, xnu/osfmk/kern/cs_blobs.h and xnu/EXTERNAL_HEADERS/mach-o/loader.h.
 */

const LC_SEGMENT_64 = 0x19;
const LC_CODE_SIGNATURE = 0x1d;
const MH_MAGIC_64 = 0xfeedfacf;
const SUPER_BLOB = 0xfade0cc0;
const CODE_DIRECTORY = 0xfade0c02;
const AD_HOC_AND_LINKER_SIGNED = 0x20002;
const MAIN_BINARY = 1n;
const SHA256 = 2;
const pageBits = 12;
const pageBytes = 1 << pageBits;
/** Of a code directory of version 0x20400, up to the identifier. */
const directoryHeaderBytes = 88;
/** Of a super blob with one entry. */
const superBlobBytes = 20;

interface Layout {
  /** Where these load commands are in the file. */
  linkEdit: number;
  codeSignature: number;
  /** Where the signature is. */
  signatureAt: number;
  textBytes: bigint;
}

/** Are all pages up to the signature covered by it, with the right hashes? Throws where there is no signature. Pure. */
export function hasValidSignature(executable: Buffer): boolean {
  const { signatureAt } = layoutOf(executable);
  const blobs = executable.readUInt32BE(signatureAt + 8);
  for (let blob = 0; blob < blobs; blob++) {
    const directory = signatureAt + executable.readUInt32BE(signatureAt + 16 + 8 * blob);
    if (executable.readUInt32BE(directory) !== CODE_DIRECTORY) continue;
    if (executable.readUInt32BE(directory + 32) !== signatureAt) return false;
    if (executable.readUInt8(directory + 37) !== SHA256) return false;
    if (executable.readUInt8(directory + 39) !== pageBits) return false;
    const hashes = directory + executable.readUInt32BE(directory + 16);
    const expected = pageHashes(executable, signatureAt);
    return executable.subarray(hashes, hashes + expected.length).equals(expected);
  }
  return false;
}

/** The executable with an ad-hoc signature in the place of the one that it has. Throws where it has none. Pure. */
export function signAdHoc(executable: Buffer, identifier: string): Buffer {
  const { linkEdit, codeSignature, signatureAt, textBytes } = layoutOf(executable);
  const name = Buffer.from(`${identifier}\0`, "ascii");
  const pages = Math.ceil(signatureAt / pageBytes);
  const directoryBytes = directoryHeaderBytes + name.length + pages * 32;
  const bytes = Math.ceil((superBlobBytes + directoryBytes) / 16) * 16;

  const signed = Buffer.alloc(signatureAt + bytes);
  executable.copy(signed, 0, 0, signatureAt);
  signed.writeUInt32LE(bytes, codeSignature + 12);
  const linkEditBytes = BigInt(signed.length) - signed.readBigUInt64LE(linkEdit + 40);
  signed.writeBigUInt64LE(roundUp(linkEditBytes, 0x4000n), linkEdit + 32);
  signed.writeBigUInt64LE(linkEditBytes, linkEdit + 48);

  const superBlob = [SUPER_BLOB, superBlobBytes + directoryBytes, 1, 0, superBlobBytes];
  superBlob.forEach((word, index) => signed.writeUInt32BE(word, signatureAt + 4 * index));
  const directory = signed.subarray(signatureAt + superBlobBytes);
  const header = [
    CODE_DIRECTORY,
    directoryBytes,
    0x20400,
    AD_HOC_AND_LINKER_SIGNED,
    directoryHeaderBytes + name.length,
    directoryHeaderBytes,
    0,
    pages,
    signatureAt,
  ];
  header.forEach((word, index) => directory.writeUInt32BE(word, 4 * index));
  directory.set([32, SHA256, 0, pageBits], 36);
  directory.writeBigUInt64BE(textBytes, 72);
  directory.writeBigUInt64BE(MAIN_BINARY, 80);
  name.copy(directory, directoryHeaderBytes);
  pageHashes(signed, signatureAt).copy(directory, directoryHeaderBytes + name.length);
  return signed;
}

function layoutOf(executable: Buffer): Layout {
  if (executable.readUInt32LE(0) !== MH_MAGIC_64) throw new Error("this is no Mach-O executable");
  const layout: Partial<Layout> = {};
  let at = 32;
  for (let command = executable.readUInt32LE(16); command > 0; command--) {
    const kind = executable.readUInt32LE(at);
    if (kind === LC_CODE_SIGNATURE) {
      layout.codeSignature = at;
      layout.signatureAt = executable.readUInt32LE(at + 8);
    } else if (kind === LC_SEGMENT_64) {
      const name = executable.toString("ascii", at + 8, at + 24).replace(/\0+$/, "");
      if (name === "__LINKEDIT") layout.linkEdit = at;
      if (name === "__TEXT") layout.textBytes = executable.readBigUInt64LE(at + 48);
    }
    at += executable.readUInt32LE(at + 4);
  }
  const { linkEdit, codeSignature, signatureAt, textBytes } = layout;
  if (
    linkEdit === undefined ||
    codeSignature === undefined ||
    signatureAt === undefined ||
    textBytes === undefined
  ) {
    throw new Error("this executable has no signature to replace");
  }
  return { linkEdit, codeSignature, signatureAt, textBytes };
}

/** SHA-256 of each page up to `end`, one after the other; the last page may be shorter. */
function pageHashes(executable: Buffer, end: number): Buffer {
  const hashes: Buffer[] = [];
  for (let at = 0; at < end; at += pageBytes) {
    const page = executable.subarray(at, Math.min(at + pageBytes, end));
    hashes.push(createHash("sha256").update(page).digest());
  }
  return Buffer.concat(hashes);
}

function roundUp(value: bigint, step: bigint): bigint {
  return ((value + step - 1n) / step) * step;
}
