import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** How long the throwaway machine may take to start, ms. */
const bootMs = 60_000;

export interface Ran {
  code: number;
  out: string;
}

/**
 * A machine with a first process of its own, in namespaces of its own: the files of this one, with every change kept in
 * memory and gone at the end. It shares the network of whoever boots it, so that a simulator can serve it. Needs root.
 */
export interface Machine {
  /** Runs a command inside, both its streams together. */
  run(...words: [string, ...string[]]): Ran;
  /** As {@link Machine.run}, for a line of shell. Throws where it fails. */
  shell(line: string): string;
  stop(): Promise<void>;
}

export interface MachineKind {
  /** What it is called where it does not start. */
  name: string;
  /** Copied in: where from, by where to. */
  files: Readonly<Record<string, string>>;
  /** A folder that lies over the files of this machine. */
  layer?: string;
  /** Whether it gets a group of processes to divide further. */
  cgroup: boolean;
  /** Lines of shell, run in the folder that becomes its root. */
  furnish: string;
  /** The command that becomes its first process. */
  init: string;
  /** Whether it is up. */
  ready(run: Machine["run"]): boolean;
}

/** Boots it. Throws with what the start said. */
export async function bootMachine(kind: MachineKind): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "revka-machine-"));
  const group = kind.cgroup ? join(cgroupRoot(), `revka-machine-${process.pid}`) : null;
  if (group !== null) mkdirSync(group, { recursive: true });
  const script = join(folder, "boot.sh");
  writeFileSync(script, bootScript(folder, kind));
  // The group comes first: a cgroup namespace begins at the group its first process is in.
  const entered = group === null ? "" : `echo 0 > '${group}/cgroup.procs' && `;
  const enter = `${entered}exec setpriv --pdeathsig KILL unshare --mount --pid --fork --uts --ipc --cgroup --kill-child sh '${script}'`;
  const child = spawn("sh", ["-c", enter], { stdio: ["ignore", "pipe", "pipe"] });
  // Also where this process is ended: what lies in the machine's own mounts goes with its processes.
  const abandon = () => {
    child.kill("SIGKILL");
    if (group !== null) removeGroups(group);
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", abandon);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (part: Buffer) => (said += part.toString("utf8")));
  }
  const run: Machine["run"] = (...words) => {
    const first = firstProcess(child);
    const result = spawnSync(
      "nsenter",
      [`--target=${first}`, "--all", "env", "-i", ...environment, ...words],
      { encoding: "utf8", timeout: 90_000 },
    );
    return { code: result.status ?? -1, out: `${result.stdout}${result.stderr}`.trim() };
  };
  const machine: Machine = {
    run,
    shell(line) {
      const { code, out } = run("sh", "-c", line);
      if (code !== 0) throw new Error(`${line}: exit ${code}\n${out}`);
      return out;
    },
    async stop() {
      const ended = child.exitCode ?? new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      process.off("exit", abandon);
      abandon();
    },
  };
  const until = Date.now() + bootMs;
  while (Date.now() < until && child.exitCode === null) {
    await Bun.sleep(200);
    if (child.pid === undefined || firstProcess(child) === null) continue;
    if (kind.ready(run)) return machine;
  }
  await machine.stop();
  throw new Error(`${kind.name} did not start here: ${said || "it said nothing"}`);
}

const environment = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];

/** The pid, outside, of the machine's first process: the child of `unshare`. */
function firstProcess({ pid }: ChildProcess): number | null {
  const path = `/proc/${pid}/task/${pid}/children`;
  const children = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return Number(children.split(" ")[0]) || null;
}

/** Where the second version of control groups is mounted, the only one that systemd needs. */
function cgroupRoot(): string {
  const mounts = readFileSync("/proc/mounts", "utf8");
  const found = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  if (!found) throw new Error("no cgroup2 is mounted here");
  return found;
}

/** Its processes die with the namespace, a moment later; the groups they were in go from the leaves. */
function removeGroups(group: string): void {
  for (let tries = 50; tries > 0 && existsSync(group); tries--) {
    spawnSync("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    Bun.sleepSync(50);
  }
}

function bootScript(folder: string, { files, layer, cgroup, furnish, init }: MachineKind) {
  const devices = "null zero full random urandom tty";
  return `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs '${folder}'
cd '${folder}'
mkdir upper work root layer
${layer === undefined ? "" : `cp -a '${layer}/.' layer # Two layers of one overlay may not contain each other.`}
mount -t overlay overlay -o lowerdir=layer:/,upperdir=upper,workdir=work root
${Object.entries(files)
  .map(([to, from]) => `install -D '${resolve(from)}' 'root${to}'`)
  .join("\n")}
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
${cgroup ? "mount -t cgroup2 cgroup2 sys/fs/cgroup" : ""}
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for name in ${devices}; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
hostname revka-machine
${furnish}
mkdir .old
pivot_root . .old
cd /
umount -l /.old
exec env -i ${init}
`;
}
