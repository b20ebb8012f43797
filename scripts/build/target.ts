import { closeSync, openSync, readSync } from "node:fs";

/** Every system that Revka is built for, as `--target` and the names of the release files spell it. */
export const targets = [
  "linux-x64",
  "linux-x64-baseline",
  "linux-x64-musl",
  "linux-x64-baseline-musl",
  "linux-arm64",
  "linux-arm64-musl",
  "darwin-arm64",
  "darwin-x64",
] as const;

export type Target = (typeof targets)[number];

export function isTarget(name: string): name is Target {
  return targets.some((target) => target === name);
}

/** The target of this machine. Throws where Revka is not built for it. */
export function hostTarget(): Target {
  const libc = process.platform === "linux" && linkedWithMusl(process.execPath) ? "-musl" : "";
  const name = `${process.platform}-${process.arch}${libc}`;
  if (!isTarget(name)) throw new Error(`Revka is not built for ${name}`);
  return name;
}

/** An ELF file names its dynamic linker (`/lib/ld-musl-x86_64.so.1`) near its beginning. */
function linkedWithMusl(file: string): boolean {
  const head = Buffer.alloc(4096);
  const descriptor = openSync(file, "r");
  try {
    readSync(descriptor, head);
  } finally {
    closeSync(descriptor);
  }
  return head.includes("/ld-musl-");
}
