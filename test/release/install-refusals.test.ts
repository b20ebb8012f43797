import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checksums } from "../../scripts/release/checksums.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { installTrial, script } from "./install-trial.ts";

const trial = installTrial();

describe("install.sh refuses", () => {
  test.each(["revka-1.2.3-linux-x64", "revka-1.2.3-linux-x64.tar.xz"])(
    "a tampered %s, and leaves the old executable alone",
    async (name) => {
      await trial.fill(["revka-1.2.3-linux-x64"], { packed: name.endsWith(".xz") });
      mkdirSync(trial.prefix, { recursive: true });
      writeFileSync(join(trial.prefix, "revka"), "of before");
      appendFileSync(join(trial.release, name), "x");
      const run = trial.install([]);
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
    await trial.fill(["revka-1.2.3-linux-x64"]);
    writeFileSync(join(trial.release, "SHA256SUMS"), sums);
    const run = trial.install([]);
    expect(run.err).toMatch(message);
    expect(run).toMatchObject({ code: 1, installed: null });
  });

  test.skipIf(!findExecutable("xz"))(
    "an archive that cannot be unpacked here, in words of its own",
    async () => {
      writeFileSync(join(trial.release, "revka-1.2.3-linux-x64.tar.xz"), "of a newer xz");
      const sums = await checksums(trial.release, ["revka-1.2.3-linux-x64.tar.xz"]);
      writeFileSync(join(trial.release, "SHA256SUMS"), sums);
      const run = trial.install([]);
      expect(run.err).toContain("could not be unpacked");
      expect(run).toMatchObject({ code: 1, installed: null, left: [] });
    },
  );

  test("a folder without the files of a release, such as that of a build", () => {
    const run = trial.install([]);
    expect(run.err).toBe(
      `install: ${trial.release}/SHA256SUMS is missing: --from takes a folder with all files of a release\n`,
    );
    expect(run).toMatchObject({ code: 1, installed: null });
  });

  test("to guess a folder without a home", async () => {
    // Read from here: another account need not reach the checkout.
    const run = spawnSync("/bin/sh", ["-s", "--", "--from", trial.release], {
      encoding: "utf8",
      cwd: "/",
      input: readFileSync(script, "utf8"),
      env: { PATH: "/usr/bin:/bin" },
      ...(process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}),
    });
    expect(run.stderr).toContain("name a folder with --prefix");
    expect(run.status).not.toBe(0);
  });

  test.each([
    ["linux-arm64", "--target names another one"],
    [
      "linux-x64-musl",
      "it needs the package libstdc++ (apk add libstdc++), or --target names another one",
    ],
  ])("a %s that does not run here, and leaves the old one alone", async (target, hint) => {
    const name = `revka-1.2.3-${target}`;
    writeFileSync(join(trial.release, name), "\u007fELF of another machine");
    writeFileSync(join(trial.release, "SHA256SUMS"), await checksums(trial.release, [name]));
    mkdirSync(trial.prefix, { recursive: true });
    writeFileSync(join(trial.prefix, "revka"), "of before");
    const run = trial.install(["--target", target]);
    expect(run.err).toEndWith(`install: ${name} does not run on this machine; ${hint}\n`);
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
        : { ...trial.install(args), status: null };
    expect("err" in run ? run.err : run.stderr).toContain(message);
    expect("code" in run ? run.code : run.status).toBe(2);
    // The sentence, and not a page that scrolls it away.
    expect("err" in run ? run.err : run.stderr).toMatch(
      /^install: .*\nRun it with --help for all options\.\n$/,
    );
  });
});
