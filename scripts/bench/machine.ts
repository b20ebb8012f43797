import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";
import { join } from "node:path";
import { median } from "./statistics.ts";

/** `AMD EPYC, 2 cores, 24 GiB of memory, Linux 6.1.0, Bun 1.4.5`: what says how fast it may be, and nothing that names it. */
export function machine(): string {
  const kernel = /^[\d.]+/.exec(release())?.[0]?.replace(/\.$/, "") ?? "";
  const gibibytes = Math.round(totalmem() / 1024 ** 3);
  const processor = cpus()[0]?.model.replace(/\s+/g, " ").trim() || "unknown processor";
  return `${processor}, ${availableParallelism()} cores, ${gibibytes} GiB of memory, Linux ${kernel}, Bun ${Bun.version}`;
}

/** What one write of 4 KiB with its fsync takes in this folder, ms: the floor under every durable answer. */
export function fsyncMs(folder: string): number {
  const file = openSync(join(folder, "fsync-probe"), "w", 0o600);
  const block = new Uint8Array(4096).fill(1);
  const times = Array.from({ length: 200 }, () => {
    const began = performance.now();
    writeSync(file, block);
    fsyncSync(file);
    return performance.now() - began;
  });
  closeSync(file);
  return median(times);
}

/** The load of the last minute, before anything of ours ran. */
export function loadBefore(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}

/** Resident memory of a process, KiB: all of it, and what is not backed by files. */
export function residentMemory(pid: number): { all: number; anonymous: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  return { all: read("VmRSS"), anonymous: read("RssAnon") };
}

/** Processor time that a process has used so far, in it and in the kernel for it, ms. */
export function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program, in brackets, may hold anything; what follows does not. proc(5): utime, stime in 1/100 s.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
