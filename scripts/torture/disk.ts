import { spawnSync } from "node:child_process";
import { mkdirSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A disk that can be filled and freed. */
export interface SmallDisk {
  path: string;
  fill(): void;
  free(): void;
  /** Takes away the right to write to it, or gives it back. */
  readOnly(on: boolean): boolean;
  remove(): void;
}

/** Mounts a tmpfs at `path`; null where the system does not allow that (it takes root). */
export function smallDisk(path: string, megabytes: number): SmallDisk | null {
  mkdirSync(path, { recursive: true });
  const options = `size=${megabytes}m,mode=700`;
  if (!ran("mount", ["-t", "tmpfs", "-o", options, "tmpfs", path])) return null;
  const filler = join(path, "filler");
  return {
    path,
    fill() {
      // The last pages too: a block at a time until nothing goes in any more.
      for (let bytes = freeBytes(path); bytes > 0; bytes = freeBytes(path)) {
        try {
          writeFileSync(filler, Buffer.alloc(Math.min(bytes, 1024 * 1024)), { flag: "a" });
        } catch {
          return;
        }
      }
    },
    free: () => rmSync(filler, { force: true }),
    readOnly: (on) => ran("mount", ["-o", `remount,${on ? "ro" : "rw"}`, path]),
    remove() {
      ran("umount", ["-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}

function freeBytes(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return Number(bavail) * Number(bsize);
}

function ran(command: string, args: string[]): boolean {
  return spawnSync(command, args, { stdio: "ignore" }).status === 0;
}
