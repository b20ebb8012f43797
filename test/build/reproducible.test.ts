import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildExecutable } from "../../scripts/build/executable.ts";
import { sources } from "../../scripts/build/revision.ts";
import { root } from "../support/binary.ts";

const scratch = mkdtempSync(join(tmpdir(), "revka-reproducible-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const revision = { version: "1.2.3", commit: "0123456789ab", committedAt: 1_700_000_000 };
const folders = [join(scratch, "here"), join(scratch, "a/folder elsewhere")] as const;

beforeAll(() => {
  for (const name of [...sources, "bunfig.toml"]) {
    cpSync(join(root, name), join(folders[0], name), { recursive: true });
  }
  const install = spawnSync(
    process.execPath,
    ["install", "--frozen-lockfile", "--production", "--ignore-scripts"],
    { cwd: folders[0], encoding: "utf8" },
  );
  expect(install.status, install.stderr).toBe(0);
  mkdirSync(join(scratch, "a"));
}, 30_000);

test.each(["default", "whatsapp-web"] as const)(
  "two builds of the %s variant are the same to the byte, from different folders and at different times",
  async (variant) => {
    const outfile = join(scratch, `revka-${variant}`);
    const build = async (folder: string) => {
      const { inputs } = await buildExecutable({
        root: folder,
        variant,
        target: "linux-x64",
        revision,
        outfile,
      });
      return { inputs, bytes: readFileSync(outfile) };
    };
    const [here, elsewhere] = folders;
    const first = await build(here);
    renameSync(here, elsewhere);
    const second = await build(elsewhere);
    renameSync(elsewhere, here);
    expect(second.inputs).toEqual(first.inputs);
    expect(second.bytes.equals(first.bytes)).toBe(true);
  },
  30_000,
);
