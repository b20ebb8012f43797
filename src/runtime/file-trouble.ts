import { errorCode } from "./error-code.ts";

const words: Record<string, string> = {
  EACCES: "this account may not",
  EPERM: "this account may not",
  EDQUOT: "this account's share of the disk is full",
  EISDIR: "it is a folder",
  ENOENT: "its folder is not there",
  ENOSPC: "the disk is full",
  ENOTDIR: "a part of its path is no folder",
  EROFS: "the disk is mounted read-only",
};

/** Why a file or folder cannot be made, read or written, in words; the system's code where it is a rare one. */
export function fileTrouble(error: unknown): string {
  const code = errorCode(error) ?? String(error);
  return words[code] ?? code;
}
