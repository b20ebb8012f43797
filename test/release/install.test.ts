import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { checksums } from "../../scripts/release/checksums.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { executable, installTrial, script, type Machine } from "./install-trial.ts";

const trial = installTrial();

describe("install.sh", () => {
  test.each<[string, Machine]>([
    ["linux-x64", {}],
    ["linux-x64-baseline", { avx2: false }],
    ["linux-x64-musl", { ldd: "musl libc (x86_64)" }],
    ["linux-x64-baseline-musl", { ldd: "musl libc (x86_64)", avx2: false }],
    ["linux-arm64", { processor: "aarch64", avx2: false }],
    ["linux-arm64-musl", { processor: "aarch64", ldd: "musl libc (aarch64)" }],
    ["darwin-arm64", { system: "Darwin", processor: "arm64" }],
    ["darwin-arm64", { system: "Darwin", processor: "x86_64", translated: true }],
    ["darwin-x64", { system: "Darwin", processor: "x86_64" }],
  ])("takes %s on a machine like %j", async (target, machine) => {
    const all = ["linux-x64", "linux-x64-baseline", "linux-x64-musl", "linux-arm64"];
    all.push("linux-x64-baseline-musl", "linux-arm64-musl", "darwin-arm64", "darwin-x64");
    await trial.fill(all.flatMap((t) => [`revka-1.2.3-${t}`, `revka-1.2.3-${t}-whatsapp-web`]));
    const run = trial.install(["--dry-run"], machine);
    expect(run.out).toBe(`revka-1.2.3-${target} would become ${trial.prefix}/revka\n`);
    expect(run).toMatchObject({ code: 0, err: "", installed: null });
  });

  test("does not put it into a folder of its name, such as a clone", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const clone = join(trial.prefix, "revka");
    mkdirSync(clone, { recursive: true });
    const run = spawnSync("/bin/sh", [script, "--from", trial.release, "--prefix", trial.prefix], {
      encoding: "utf8",
      env: { PATH: trial.pathOf({}), HOME: trial.place, TMPDIR: trial.place },
    });
    expect(run).toMatchObject({
      status: 1,
      stderr: `install: ${clone} is a folder; --prefix names another place\n`,
    });
    expect([readdirSync(trial.prefix), readdirSync(clone)]).toEqual([["revka"], []]);
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
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const run = trial.install([], machine);
    expect(run.err).toMatch(message);
    expect(run).toMatchObject({ code: 1, out: "", installed: null });
  });

  test("installs the executable, runnable, and says what comes next", async () => {
    await trial.fill(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64-whatsapp-web"]);
    const run = trial.install([]);
    expect(run).toMatchObject({ code: 0, err: "", left: [] });
    expect(run.installed).toBe(executable("revka-1.2.3-linux-x64"));
    expect(run.out).toContain(
      `Installed revka 1.2.3 (revka-1.2.3-linux-x64) as ${trial.prefix}/revka\n`,
    );
    expect(spawnSync(join(trial.prefix, "revka")).status).toBe(0);
  });

  test.each([
    ["plain/bin", (path: string) => path],
    ["a prefix/bin", (path: string) => `'${path}'`],
    ["Ada's/$HOME/bin", (path: string) => `'${path.replace("'", `'\\''`)}'`],
  ])("says what to type next as a shell takes it: %s", async (folder, written) => {
    trial.prefix = join(trial.place, folder);
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const { out } = trial.install([]);
    const path = `${trial.prefix}/revka`;
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
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const args = [script, "--from", trial.release, "--prefix", named(trial.prefix)];
    const env = {
      PATH: `${trial.prefix}:${trial.pathOf({})}`,
      HOME: trial.place,
      TMPDIR: trial.place,
    };
    const run = spawnSync("/bin/sh", args, { encoding: "utf8", cwd: trial.place, env });
    expect(run.stdout).toContain(` as ${trial.prefix}/revka\n\nNext:  revka demo `);
    expect(run.status).toBe(0);
  });

  test("tells of another one that comes before it in the PATH", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const programs = join(trial.place, "programs");
    mkdirSync(programs);
    writeFileSync(join(programs, "revka"), "#!/bin/sh\n", { mode: 0o755 });
    const run = spawnSync("/bin/sh", [script, "--from", trial.release, "--prefix", trial.prefix], {
      encoding: "utf8",
      env: {
        PATH: `${programs}:${trial.prefix}:${trial.pathOf({})}`,
        HOME: trial.place,
        TMPDIR: trial.place,
      },
    });
    expect(run.stdout).toContain(
      `\nAnother one comes before it in your PATH: ${programs}/revka\n\nNext:  '${trial.prefix}/revka' demo `,
    );
    expect(run.status).toBe(0);
  });

  test("takes one folder of two names for one", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    mkdirSync(trial.prefix, { recursive: true });
    const alias = join(trial.place, "alias");
    symlinkSync(trial.prefix, alias);
    const run = spawnSync("/bin/sh", [script, "--from", trial.release, "--prefix", trial.prefix], {
      encoding: "utf8",
      env: {
        PATH: `${alias}:${trial.prefix}:${trial.pathOf({})}`,
        HOME: trial.place,
        TMPDIR: trial.place,
      },
    });
    expect(run.stdout).toEndWith(
      ` as ${trial.prefix}/revka\n\nNext:  revka demo    see it work, without an account\n       revka init    write a configuration\n`,
    );
  });

  test.each([
    ["syncs the file alone", "1"],
    ["syncs all, where that is all that it can", "0"],
  ])("%s before it has its name", async (_, words) => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const programs = join(trial.place, "programs");
    mkdirSync(programs);
    const sync = `#!/bin/sh\n[ $# -le ${words} ] || exit 1\nls -A "${trial.prefix}" >"$HOME/synced"\n`;
    writeFileSync(join(programs, "sync"), sync, { mode: 0o755 });
    const run = spawnSync("/bin/sh", [script, "--from", trial.release, "--prefix", trial.prefix], {
      encoding: "utf8",
      env: {
        PATH: `${programs}:${trial.pathOf({})}`,
        HOME: trial.place,
        TMPDIR: trial.place,
      },
    });
    expect(run.status).toBe(0);
    expect(readFileSync(join(trial.place, "synced"), "utf8")).toMatch(/^\.revka\.new\.\d+\n$/);
  });

  test.each(["HUP", "INT", "PIPE", "TERM"])(
    "leaves nothing behind when SIG%s ends it",
    async (signal) => {
      await trial.fill(["revka-1.2.3-linux-x64"]);
      const slow = `#!/bin/sh\nkill -${signal} $PPID\nsleep 1\n`;
      writeFileSync(join(trial.release, "revka-1.2.3-linux-x64"), slow);
      const sums = await checksums(trial.release, ["revka-1.2.3-linux-x64"]);
      writeFileSync(join(trial.release, "SHA256SUMS"), sums);
      const run = trial.install([]);
      expect(run.code).toBeGreaterThan(128);
      expect(run).toMatchObject({ installed: null, left: [] });
      expect(readdirSync(trial.place).filter((name) => name.startsWith("tmp."))).toEqual([]);
    },
  );

  test("does nothing at all where it came only in part, through a pipe", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const lines = readFileSync(script, "utf8").trimEnd().split("\n");
    const env = { PATH: trial.pathOf({}), HOME: trial.place, TMPDIR: trial.place };
    const args = ["-s", "--", "--from", trial.release, "--prefix", trial.prefix];
    const marks = [/^ *get SHA256SUMS/, /^ *say "Getting/, /^ *say 'Its checksum/, /^ *mv -f/];
    for (const mark of marks) {
      const part = lines.slice(0, lines.findIndex((line) => mark.test(line)) + 1).join("\n");
      const run = spawnSync("/bin/sh", args, { encoding: "utf8", input: part, env });
      expect({ mark, out: run.stdout, fine: run.status === 0 }).toEqual({
        mark,
        out: "",
        fine: false,
      });
      expect(existsSync(trial.prefix)).toBe(false);
    }
  });

  test("installs the variant that is asked for, over the one that is there", async () => {
    await trial.fill(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64-whatsapp-web"]);
    mkdirSync(trial.prefix, { recursive: true });
    writeFileSync(join(trial.prefix, "revka"), "of before");
    const run = trial.install(["--variant", "whatsapp-web"]);
    expect(run.installed).toBe(executable("revka-1.2.3-linux-x64-whatsapp-web"));
    expect(run).toMatchObject({ code: 0, left: [] });
  });

  test("installs into ~/.local/bin or /usr/local/bin when no folder is named", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const run = spawnSync("/bin/sh", [script, "--from", trial.release, "--dry-run"], {
      encoding: "utf8",
      env: { PATH: trial.pathOf({}), HOME: trial.place, TMPDIR: trial.place },
    });
    const folder = process.getuid?.() === 0 ? "/usr/local/bin" : `${trial.place}/.local/bin`;
    expect(run.stdout).toContain(` would become ${folder}/revka\n`);
  });

  test.skipIf(!findExecutable("xz"))(
    "prefers the archive where xz is there, and does without it where not",
    async () => {
      await trial.fill(["revka-1.2.3-linux-x64"], { packed: true });
      expect(trial.install([]).installed).toBe(executable("packed revka-1.2.3-linux-x64"));
      rmSync(join(trial.place, "machine"), { recursive: true });
      expect(trial.install([], { without: ["xz"] }).installed).toBe(
        executable("revka-1.2.3-linux-x64"),
      );
    },
  );

  test.skipIf(!findExecutable("xz"))(
    "takes of a folder what is there, and says what it lacks to unpack an archive",
    async () => {
      const [plain, packed] = ["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64.tar.xz"];
      await trial.fill([plain], { packed: true });
      rmSync(join(trial.release, packed));
      expect(trial.install([])).toMatchObject({ code: 0, installed: executable(plain) });
      await trial.fill([plain], { packed: true });
      rmSync(join(trial.release, plain));
      rmSync(trial.prefix, { recursive: true });
      for (const missing of ["xz", "tar"]) {
        rmSync(join(trial.place, "machine"), { recursive: true });
        const run = trial.install([], { without: [missing] });
        expect(run.err).toBe(`install: xz and tar are needed to unpack ${packed}\n`);
        expect(run).toMatchObject({ code: 1, installed: null });
      }
    },
  );

  test("reads a SHA256SUMS that Windows has written anew", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const sums = join(trial.release, "SHA256SUMS");
    writeFileSync(sums, readFileSync(sums, "utf8").replaceAll("\n", "\r\n"));
    expect(trial.install([])).toMatchObject({ code: 0, err: "" });
  });

  test("clears away what a killed installer left, and not what one at work has", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    mkdirSync(trial.prefix, { recursive: true });
    const { pid: gone } = spawnSync("/bin/sh", ["-c", ":"]);
    const others = [`.revka.new.${process.pid}`, ".revka.new.mine"];
    for (const name of [`.revka.new.${gone}`, ...others]) {
      writeFileSync(join(trial.prefix, name), "half");
    }
    const run = trial.install([]);
    expect({ ...run, left: run.left.toSorted() }).toMatchObject({ code: 0, left: others });
  });

  test.each([[["sha256sum"]], [["sha256sum", "shasum"]]])(
    "checks with another program where %p is missing",
    async (without) => {
      await trial.fill(["revka-1.2.3-linux-x64"]);
      expect(trial.install([], { without }).code).toBe(0);
      rmSync(join(trial.place, "machine"), { recursive: true });
      appendFileSync(join(trial.release, "revka-1.2.3-linux-x64"), "# tampered\n");
      expect(trial.install([], { without })).toMatchObject({ code: 1 });
    },
  );

  test("installs nothing that it cannot check", async () => {
    await trial.fill(["revka-1.2.3-linux-x64"]);
    const run = trial.install([], { without: ["sha256sum", "shasum", "openssl"] });
    expect(run.err).toContain("is needed to check");
    expect(run).toMatchObject({ code: 1, installed: null, left: [] });
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
