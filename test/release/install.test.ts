import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
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

const script = join(root, "install.sh");
const scratch = mkdtempSync(join(tmpdir(), "revka-install-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

let number = 0;
let place = "";
let release = "";
let prefix = "";

beforeEach(() => {
  place = join(scratch, String(number++));
  release = join(place, "release");
  prefix = join(place, "a prefix/bin");
  mkdirSync(release, { recursive: true });
});

/** A script in the place of the real executable: the installer cares for its name, checksum and `--version` only. */
const executable = (name: string) => `#!/bin/sh\necho "revka 1.2.3 (${name})"\n`;

async function fillRelease(names: string[], options: { packed?: boolean } = {}): Promise<void> {
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

interface Machine {
  system?: string;
  processor?: string;
  ldd?: string;
  avx2?: boolean;
  translated?: boolean;
  /** Of its programs, which the kernel need not have. */
  bits?: 32;
  /** Programs that this machine has not. */
  without?: string[];
}

/** A PATH of programs that speak for another machine, before the real ones. */
function pathOf(machine: Machine): string {
  const folder = join(place, "machine");
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
  const needed =
    "sh cat mktemp rm cp awk cut sha256sum shasum openssl sed mkdir chmod mv id tar xz";
  for (const name of needed.split(" ").filter((name) => !without.includes(name))) {
    const found = findExecutable(name);
    if (found) symlinkSync(found, join(folder, name));
  }
  return folder;
}

function install(args: string[], machine: Machine = {}) {
  const run = spawnSync("/bin/sh", [script, "--from", release, "--prefix", prefix, ...args], {
    encoding: "utf8",
    env: { PATH: pathOf(machine), HOME: place, TMPDIR: place },
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

describe("install.sh", () => {
  test.each<[string, Machine]>([
    ["linux-x64", {}],
    ["linux-x64-baseline", { avx2: false }],
    ["linux-x64-musl", { ldd: "musl libc (x86_64)", avx2: false }],
    ["linux-arm64", { processor: "aarch64", avx2: false }],
    ["linux-arm64-musl", { processor: "aarch64", ldd: "musl libc (aarch64)" }],
    ["darwin-arm64", { system: "Darwin", processor: "arm64" }],
    ["darwin-arm64", { system: "Darwin", processor: "x86_64", translated: true }],
    ["darwin-x64", { system: "Darwin", processor: "x86_64" }],
  ])("takes %s on a machine like %j", async (target, machine) => {
    const all = ["linux-x64", "linux-x64-baseline", "linux-x64-musl", "linux-arm64"];
    all.push("linux-arm64-musl", "darwin-arm64", "darwin-x64");
    await fillRelease(all.flatMap((t) => [`revka-1.2.3-${t}`, `revka-1.2.3-${t}-whatsapp-web`]));
    const run = install(["--dry-run"], machine);
    expect(run.out).toBe(`revka-1.2.3-${target} would become ${prefix}/revka\n`);
    expect(run).toMatchObject({ code: 0, err: "", installed: null });
  });

  test("does not put it into a folder of its name, such as a clone", async () => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const clone = join(prefix, "revka");
    mkdirSync(clone, { recursive: true });
    const run = spawnSync("/bin/sh", [script, "--from", release, "--prefix", prefix], {
      encoding: "utf8",
      env: { PATH: pathOf({}), HOME: place, TMPDIR: place },
    });
    expect(run).toMatchObject({
      status: 1,
      stderr: `install: ${clone} is a folder; --prefix names another place\n`,
    });
    expect([readdirSync(prefix), readdirSync(clone)]).toEqual([["revka"], []]);
  });

  test.each<[RegExp, Machine]>([
    [/a 64-bit system is needed, and this one is armv7l/, { processor: "armv7l" }],
    // Raspberry Pi OS of 32 bits has a kernel of 64.
    [
      /a 64-bit system is needed, and the programs of this one have 32/,
      { processor: "aarch64", bits: 32 },
    ],
    [/not built for riscv64/, { processor: "riscv64" }],
    [/not built for FreeBSD/, { system: "FreeBSD" }],
  ])("says %p on a machine like %j", async (message, machine) => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const run = install([], machine);
    expect(run.err).toMatch(message);
    expect(run).toMatchObject({ code: 1, out: "", installed: null });
  });

  test("installs the executable, runnable, and says what comes next", async () => {
    await fillRelease(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64-whatsapp-web"]);
    const run = install([]);
    expect(run).toMatchObject({ code: 0, err: "", left: [] });
    expect(run.installed).toBe(executable("revka-1.2.3-linux-x64"));
    expect(run.out).toContain(`Installed revka 1.2.3 (revka-1.2.3-linux-x64) as ${prefix}/revka\n`);
    expect(spawnSync(join(prefix, "revka")).status).toBe(0);
  });

  test.each([
    ["plain/bin", (path: string) => path],
    ["a prefix/bin", (path: string) => `'${path}'`],
    ["Ada's/$HOME/bin", (path: string) => `'${path.replace("'", `'\\''`)}'`],
  ])("says what to type next as a shell takes it: %s", async (folder, written) => {
    prefix = join(place, folder);
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const { out } = install([]);
    const path = `${prefix}/revka`;
    expect(out).toContain(`\nNext:  ${written(path)} demo    see it work`);
    expect(out).toContain(`\n       ${written(path)} init    write`);
    const [added = ""] = /export PATH=.*/.exec(out) ?? [];
    for (const line of [written(path), `${added}; revka`]) {
      const shell = spawnSync("/bin/sh", ["-c", line], { encoding: "utf8" });
      expect(shell.stdout).toBe("revka 1.2.3 (revka-1.2.3-linux-x64)\n");
    }
  });

  test.each([
    ["with a slash at its end", (folder: string) => `${folder}/`],
    ["from where it is", () => "a prefix/bin"],
  ])("knows a folder of the PATH that is named %s", async (_, named) => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const args = [script, "--from", release, "--prefix", named(prefix)];
    const env = { PATH: `${prefix}:${pathOf({})}`, HOME: place, TMPDIR: place };
    const run = spawnSync("/bin/sh", args, { encoding: "utf8", cwd: place, env });
    expect(run.stdout).toContain(` as ${prefix}/revka\n\nNext:  revka demo `);
    expect(run.status).toBe(0);
  });

  test.each(["HUP", "INT", "PIPE", "TERM"])(
    "leaves nothing behind when SIG%s ends it",
    async (signal) => {
      await fillRelease(["revka-1.2.3-linux-x64"]);
      const slow = `#!/bin/sh\nkill -${signal} $PPID\nsleep 1\n`;
      writeFileSync(join(release, "revka-1.2.3-linux-x64"), slow);
      const sums = await checksums(release, ["revka-1.2.3-linux-x64"]);
      writeFileSync(join(release, "SHA256SUMS"), sums);
      const run = install([]);
      expect(run.code).toBeGreaterThan(128);
      expect(run).toMatchObject({ installed: null, left: [] });
      expect(readdirSync(place).filter((name) => name.startsWith("tmp."))).toEqual([]);
    },
  );

  test("does nothing at all where it came only in part, through a pipe", async () => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const lines = readFileSync(script, "utf8").trimEnd().split("\n");
    const env = { PATH: pathOf({}), HOME: place, TMPDIR: place };
    const args = ["-s", "--", "--from", release, "--prefix", prefix];
    const marks = [/^ *get SHA256SUMS/, /^ *say "Getting/, /^ *say 'Its checksum/, /^ *mv -f/];
    for (const mark of marks) {
      const part = lines.slice(0, lines.findIndex((line) => mark.test(line)) + 1).join("\n");
      const run = spawnSync("/bin/sh", args, { encoding: "utf8", input: part, env });
      expect({ mark, out: run.stdout, fine: run.status === 0 }).toEqual({
        mark,
        out: "",
        fine: false,
      });
      expect(existsSync(prefix)).toBe(false);
    }
  });

  test("installs the variant that is asked for, over the one that is there", async () => {
    await fillRelease(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64-whatsapp-web"]);
    mkdirSync(prefix, { recursive: true });
    writeFileSync(join(prefix, "revka"), "of before");
    const run = install(["--variant", "whatsapp-web"]);
    expect(run.installed).toBe(executable("revka-1.2.3-linux-x64-whatsapp-web"));
    expect(run).toMatchObject({ code: 0, left: [] });
  });

  test("installs into ~/.local/bin or /usr/local/bin when no folder is named", async () => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const run = spawnSync("/bin/sh", [script, "--from", release, "--dry-run"], {
      encoding: "utf8",
      env: { PATH: pathOf({}), HOME: place, TMPDIR: place },
    });
    const folder = process.getuid?.() === 0 ? "/usr/local/bin" : `${place}/.local/bin`;
    expect(run.stdout).toContain(` would become ${folder}/revka\n`);
  });

  test.skipIf(!findExecutable("xz"))(
    "prefers the archive where xz is there, and does without it where not",
    async () => {
      await fillRelease(["revka-1.2.3-linux-x64"], { packed: true });
      expect(install([]).installed).toBe(executable("packed revka-1.2.3-linux-x64"));
      rmSync(join(place, "machine"), { recursive: true });
      expect(install([], { without: ["xz"] }).installed).toBe(executable("revka-1.2.3-linux-x64"));
    },
  );

  test.each([[["sha256sum"]], [["sha256sum", "shasum"]]])(
    "checks with another program where %p is missing",
    async (without) => {
      await fillRelease(["revka-1.2.3-linux-x64"]);
      expect(install([], { without }).code).toBe(0);
      rmSync(join(place, "machine"), { recursive: true });
      appendFileSync(join(release, "revka-1.2.3-linux-x64"), "# tampered\n");
      expect(install([], { without })).toMatchObject({ code: 1 });
    },
  );

  test("installs nothing that it cannot check", async () => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    const run = install([], { without: ["sha256sum", "shasum", "openssl"] });
    expect(run.err).toContain("is needed to check");
    expect(run).toMatchObject({ code: 1, installed: null, left: [] });
  });
});

describe("install.sh refuses", () => {
  test.each(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64.tar.xz"])(
    "a tampered %s, and leaves the old executable alone",
    async (name) => {
      await fillRelease(["revka-1.2.3-linux-x64"], { packed: name.endsWith(".xz") });
      mkdirSync(prefix, { recursive: true });
      writeFileSync(join(prefix, "revka"), "of before");
      appendFileSync(join(release, name), "x");
      const run = install([]);
      expect(run.err).toContain(`${name} does not have the checksum in SHA256SUMS`);
      expect(run).toMatchObject({ code: 1, installed: "of before", left: [] });
    },
  );

  test.each([
    ["that is not listed", "", /lists nothing for linux-x64 \(default\)/],
    ["with a shortened checksum", "abcd  revka-1.2.3-linux-x64\n", /does not have the checksum/],
    ["without a checksum", "  revka-1.2.3-linux-x64\n", /lists nothing/],
    ["outside of the folder", `${"0".repeat(64)}  ../revka-1.2.3-linux-x64\n`, /lists nothing/],
    [
      "of which there are two",
      `${"0".repeat(64)}  revka-1.2.3-linux-x64\n${"0".repeat(64)}  revka-1.2.4-linux-x64\n`,
      /more than one version/,
    ],
  ])("a file %s", async (_, sums, message) => {
    await fillRelease(["revka-1.2.3-linux-x64"]);
    writeFileSync(join(release, "SHA256SUMS"), sums);
    const run = install([]);
    expect(run.err).toMatch(message);
    expect(run).toMatchObject({ code: 1, installed: null });
  });

  test.skipIf(!findExecutable("xz"))(
    "an archive that cannot be unpacked here, in words of its own",
    async () => {
      writeFileSync(join(release, "revka-1.2.3-linux-x64.tar.xz"), "of a newer xz");
      const sums = await checksums(release, ["revka-1.2.3-linux-x64.tar.xz"]);
      writeFileSync(join(release, "SHA256SUMS"), sums);
      const run = install([]);
      expect(run.err).toContain("could not be unpacked");
      expect(run).toMatchObject({ code: 1, installed: null, left: [] });
    },
  );

  test("to guess a folder without a home", async () => {
    // Read from here: another account need not reach the checkout.
    const run = spawnSync("/bin/sh", ["-s", "--", "--from", release], {
      encoding: "utf8",
      cwd: "/",
      input: readFileSync(script, "utf8"),
      env: { PATH: "/usr/bin:/bin" },
      ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    });
    expect(run.stderr).toContain("name a folder with --prefix");
    expect(run.status).not.toBe(0);
  });

  test("an executable that does not run here, and leaves the old one alone", async () => {
    await fillRelease(["revka-1.2.3-linux-arm64"]);
    writeFileSync(join(release, "revka-1.2.3-linux-arm64"), "\u007fELF of another machine");
    writeFileSync(
      join(release, "SHA256SUMS"),
      await checksums(release, ["revka-1.2.3-linux-arm64"]),
    );
    mkdirSync(prefix, { recursive: true });
    writeFileSync(join(prefix, "revka"), "of before");
    const run = install(["--target", "linux-arm64"]);
    expect(run.err).toContain("does not run on this machine");
    expect(run).toMatchObject({ code: 1, installed: "of before", left: [] });
  });

  test.each([
    [["--base-url", "http://example.com/revka"], "must begin with https://"],
    [["--base-url", "https://example.com"], "either --from or --base-url"],
    [["--variant", "telegram"], "there are default and whatsapp-web"],
    [["--variant"], "--variant needs a value"],
    [["--sudo"], "--sudo is not known"],
  ])("%j", async (args, message) => {
    const run =
      args[1] === "http://example.com/revka"
        ? spawnSync("/bin/sh", [script, ...args], { encoding: "utf8" })
        : { ...install(args), status: null };
    expect("err" in run ? run.err : run.stderr).toContain(message);
    expect("code" in run ? run.code : run.status).toBe(2);
    // The sentence, and not a page that scrolls it away.
    expect("err" in run ? run.err : run.stderr).toMatch(
      /^install: .*\nRun it with --help for all options\.\n$/,
    );
  });
});

test.skipIf(!findExecutable("shellcheck"))(
  "install.sh has nothing that shellcheck objects to (needs shellcheck)",
  () => {
    const run = spawnSync("shellcheck", ["--shell=sh", script], { encoding: "utf8" });
    expect(run.stdout).toBe("");
    expect(run.status).toBe(0);
  },
);
