import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How long systemd may take to start the throwaway machine, ms. */
const bootMs = 60_000;

export interface Ran {
  code: number;
  out: string;
}

/**
 * A machine that runs systemd as its first process, in namespaces of its own: the files of this one, with every change
 * kept in memory and gone at the end. It shares this machine's network, so that a simulator can serve it. Needs root.
 */
export interface Machine {
  /** Runs a command inside, both its streams together. */
  run(...words: [string, ...string[]]): Ran;
  /** As {@link Machine.run}, for a line of shell. Throws where it fails. */
  shell(line: string): string;
  stop(): Promise<void>;
}

/** Boots it. `files` are copied in: where from, by where to. Throws with what the start said. */
export async function bootMachine(files: Readonly<Record<string, string>>): Promise<Machine> {
  const folder = mkdtempSync(join(tmpdir(), "revka-machine-"));
  const group = join(cgroupRoot(), `revka-machine-${process.pid}`);
  mkdirSync(group, { recursive: true });
  const script = join(folder, "boot.sh");
  writeFileSync(script, bootScript(folder, files));
  // The group comes first: a cgroup namespace begins at the group its first process is in.
  const enter = `echo 0 > '${group}/cgroup.procs' && exec unshare --mount --pid --fork --uts --ipc --cgroup --kill-child sh '${script}'`;
  const child = spawn("sh", ["-c", enter], { stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => void child.kill("SIGKILL");
  process.once("exit", kill);
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
      const ended = new Promise((resolve) => child.once("exit", resolve));
      kill();
      await ended;
      process.off("exit", kill);
      await removeGroups(group);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  const until = Date.now() + bootMs;
  while (Date.now() < until && child.exitCode === null) {
    await Bun.sleep(200);
    if (child.pid === undefined || firstProcess(child) === null) continue;
    if (/running|degraded/.test(run("systemctl", "is-system-running").out)) return machine;
  }
  await machine.stop();
  throw new Error(`systemd did not start here: ${said || "it said nothing"}`);
}

const environment = ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"];

/** The pid, outside, of the machine's systemd: the child of `unshare`. */
function firstProcess({ pid }: ChildProcess): number | null {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
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
async function removeGroups(group: string): Promise<void> {
  for (let tries = 50; tries > 0 && existsSync(group); tries--) {
    spawnSync("find", [group, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"]);
    await Bun.sleep(50);
  }
}

/** Services of the host's image that a machine without a console and devices cannot run. */
const masked = [
  "getty.target",
  "console-getty.service",
  "getty@tty1.service",
  "postgresql.service",
  "proc-sys-fs-binfmt_misc.automount",
  "systemd-udevd.service",
  "systemd-udev-trigger.service",
];

function bootScript(folder: string, files: Readonly<Record<string, string>>): string {
  const devices = "null zero full random urandom tty";
  return `set -e
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs '${folder}'
cd '${folder}'
mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
${Object.entries(files)
  .map(([to, from]) => `install -D '${from}' 'root${to}'`)
  .join("\n")}
cd root
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for name in ${devices}; do touch dev/$name; mount --bind /dev/$name dev/$name; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs tmpfs dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
: > etc/machine-id
for unit in ${masked.join(" ")}; do ln -sf /dev/null etc/systemd/system/$unit; done
hostname revka-machine
mkdir .old
pivot_root . .old
cd /
umount -l /.old
# systemd hands credentials over by mounts that must spread.
mount --make-rshared /
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target
`;
}
