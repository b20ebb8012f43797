import { afterAll, beforeEach } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checksums } from "../../scripts/release/checksums.ts";
import { compress } from "../../scripts/release/compress.ts";
import { tarOf } from "../../scripts/release/tar.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { root } from "../support/binary.ts";

export const script = join(root, "install.sh");

/** A script in the place of the real executable: the installer cares for its name, checksum and `--version` only. */
export const executable = (name: string) => `#!/bin/sh\necho "revka 1.2.3 (${name})"\n`;

export interface Machine {
  system?: string;
  processor?: string;
  ldd?: string;
  avx2?: boolean;
  translated?: boolean;
  /** Of its programs, which the kernel need not have. */
  bits?: 32;
  /** Programs that this machine has not. */
  without?: string[];
  /** Where some are missing: programs that it has, beside those that every machine has. */
  with?: string[];
}

/** A release in a folder, and where its executable is to go; both new for each test. */
export interface InstallTrial {
  /** Home and folder for temporary files of the installer. */
  place: string;
  release: string;
  prefix: string;
  /** Puts executables of these names into the release, with their checksums; `packed`, archives of others beside them. */
  fill(names: string[], options?: { packed?: boolean }): Promise<void>;
  /** A PATH of programs that speak for another machine, before the real ones. */
  pathOf(machine: Machine): string;
  /** Runs the installer, and looks at what it left. */
  install(args: string[], machine?: Machine): Installed;
}

export interface Installed {
  code: number | null;
  out: string;
  err: string;
  /** What lies where the executable goes; null where nothing does. */
  installed: string | null;
  /** Whatever else lies there. */
  left: string[];
}

/** To be called once, where a file's tests begin. */
export function installTrial(): InstallTrial {
  const scratch = mkdtempSync(join(tmpdir(), "revka-install-test-"));
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));
  let number = 0;
  const trial: InstallTrial = {
    place: "",
    release: "",
    prefix: "",
    fill: (names, options = {}) => fillRelease(trial.release, names, options),
    pathOf: (machine) => pathOf(join(trial.place, "machine"), machine),
    install: (args, machine = {}) => install(trial, args, machine),
  };
  beforeEach(() => {
    trial.place = join(scratch, String(number++));
    trial.release = join(trial.place, "release");
    trial.prefix = join(trial.place, "a prefix/bin");
    mkdirSync(trial.release, { recursive: true });
  });
  return trial;
}

async function fillRelease(
  release: string,
  names: string[],
  options: { packed?: boolean },
): Promise<void> {
  const made: string[] = [];
  for (const name of names) {
    writeFileSync(join(release, name), executable(name), { mode: 0o755 });
    made.push(name);
    if (!options.packed) continue;
    const content = Buffer.from(executable(`packed ${name}`));
    const pieces = tarOf([{ path: `${name}/revka`, content, executable: true }], 0);
    await compress(pieces, join(release, `${name}.tar.xz`));
    made.push(`${name}.tar.xz`);
  }
  writeFileSync(join(release, "SHA256SUMS"), await checksums(release, made));
}

function pathOf(folder: string, machine: Machine): string {
  mkdirSync(folder);
  const program = (name: string, text: string) => {
    writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, name), 0o755);
  };
  const { system = "Linux", processor = "x86_64" } = machine;
  program("uname", `if [ "$1" = -m ]; then echo ${processor}; else echo ${system}; fi`);
  program("ldd", `echo "${machine.ldd ?? "ldd (GNU libc) 2.36"}"`);
  program("getconf", `[ "$1" = LONG_BIT ] && echo ${machine.bits ?? 64}`);
  program("sysctl", machine.translated ? "echo 1" : "exit 1");
  // The only thing that the installer looks for in /proc/cpuinfo.
  const grep = findExecutable("grep") ?? "";
  program(
    "grep",
    `case "$*" in *avx2*) exit ${machine.avx2 === false ? 1 : 0} ;; *) exec ${grep} "$@" ;; esac`,
  );
  const { without } = machine;
  if (!without) return `${folder}:${process.env["PATH"]}`;
  const usual =
    "sh cat mktemp rm cp awk cut tr sha256sum shasum openssl sed mkdir chmod mv id tar xz";
  const needed = [...usual.split(" "), ...(machine.with ?? [])];
  for (const name of needed.filter((name) => !without.includes(name))) {
    const found = findExecutable(name);
    if (found) symlinkSync(found, join(folder, name));
  }
  return folder;
}

function install(trial: InstallTrial, args: string[], machine: Machine): Installed {
  const { place, release, prefix } = trial;
  const run = spawnSync("/bin/sh", [script, "--from", release, "--prefix", prefix, ...args], {
    encoding: "utf8",
    env: { PATH: trial.pathOf(machine), HOME: place, TMPDIR: place },
  });
  const file = join(prefix, "revka");
  return {
    code: run.status,
    out: run.stdout,
    err: run.stderr,
    installed: existsSync(file) ? readFileSync(file, "utf8") : null,
    left: existsSync(prefix) ? readdirSync(prefix).filter((name) => name !== "revka") : [],
  };
}
