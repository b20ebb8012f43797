import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileCalls, tracedCalls, type FileCall } from "./file-calls.ts";
import { afterPowerCut } from "./power-cut.ts";

/** How long each sync of a process takes, µs, beside what the disk takes: a cut is to fall into it. */
const syncTimes = [0, 2_000, 20_000, 60_000];
/** More than anything that SQLite writes at once, bytes. */
const longestWrite = 1024 * 1024;

/** Can processes be traced here? It takes strace, and the right to. */
export function canTrace(): boolean {
  const words = ["-f", "--seccomp-bpf", "-e", "trace=none", "true"];
  return spawnSync("strace", words, { stdio: "ignore" }).status === 0;
}

/**
 * The power of one folder's disk. strace writes down what each daemon does to the databases in it, with all that lies
 * beside them under their names, and a cut leaves of these what a disk may hold then. The rest stays as it is.
 */
export class Power {
  cuts = 0;
  /** Changes that were not confirmed by a sync when the power went. */
  uncertain = 0;
  readonly #directory: string;
  /** As the last cut left them. */
  #files = new Map<string, Uint8Array>();
  /** Of the daemons since then. */
  #traces: string[] = [];
  #number = 0;

  /** `databases`: their paths, without symbolic links; nothing is there yet. `folder` takes the traces. */
  constructor(
    readonly databases: readonly [string, ...string[]],
    readonly folder: string,
    readonly random: () => number,
  ) {
    this.#directory = dirname(databases[0]);
  }

  /** The words in front of a daemon's own. Its process id stays that of what is started. */
  tracer(): string[] {
    const trace = join(this.folder, `trace-${this.#number++}`);
    this.#traces.push(trace);
    const sync = syncTimes[Math.floor(this.random() * syncTimes.length)] ?? 0;
    const slow = sync > 0 ? ["-e", `inject=fsync,fdatasync:delay_enter=${sync}`] : [];
    return [
      ...["strace", "-D", "-f", "--seccomp-bpf", "-q", "-y", "-xx", "-s", String(longestWrite)],
      ...["-e", `trace=${tracedCalls.join(",")}`, ...slow, "-o", trace],
    ];
  }

  /** Resolves once the last daemon runs. strace that is killed while it prepares that leaves a child behind. */
  async on(): Promise<void> {
    const trace = this.#traces.at(-1) ?? "";
    for (let tries = 0; tries < 200; tries++) {
      if ((statSync(trace, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
      await pause(5);
    }
  }

  /** Call it once the daemon has ended. */
  async cut(): Promise<void> {
    const watched = (path: string) => path === this.#directory || this.#isStored(path);
    const calls: FileCall[] = [];
    let line = 0;
    for (const trace of this.#traces) {
      const lines = await linesOf(trace);
      calls.push(...fileCalls(lines, watched, line));
      line += lines.length + 1;
    }
    const left = afterPowerCut(this.#files, calls, this.#directory, this.random);
    for (const name of readdirSync(this.#directory)) {
      const path = join(this.#directory, name);
      if (this.#isNamedAfterOne(path) && !path.endsWith(".lock")) rmSync(path);
    }
    for (const [path, content] of left.files) writeFileSync(path, content, { mode: 0o600 });
    for (const trace of this.#traces) rmSync(trace, { force: true });
    this.#traces = [];
    this.#files = left.files;
    this.cuts++;
    this.uncertain += left.uncertain;
  }

  #isNamedAfterOne(path: string): boolean {
    return this.databases.some((database) => path.startsWith(database));
  }

  /** The shared memory of a log does not outlast its processes, and a lock holds nothing. */
  #isStored(path: string): boolean {
    return this.#isNamedAfterOne(path) && !path.endsWith("-shm") && !path.endsWith(".lock");
  }
}

/** Waits for the last line, which tells the end of the process that the first is of. None if it ended before it did anything. */
async function linesOf(trace: string): Promise<string[]> {
  for (let tries = 0; tries < 500; tries++) {
    const text = existsSync(trace) ? readFileSync(trace, "utf8") : "";
    const lines = text.split("\n");
    if (text === "") return [];
    const [first] = lines[0]?.split(" ") ?? [];
    const last = lines.findLast((line) => line.startsWith(`${first} `));
    if (last?.includes("+++ ") && text.endsWith("\n")) return lines;
    await pause(10);
  }
  throw new Error(`${trace} does not tell how the daemon ended`);
}
