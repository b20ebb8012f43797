import { afterAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Target } from "../../scripts/build/target.ts";
import { compress, memoryToUnpack } from "../../scripts/release/compress.ts";
import { sourceArchive } from "../../scripts/release/source.ts";
import { tarOf } from "../../scripts/release/tar.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { root } from "../support/binary.ts";

const scratch = mkdtempSync(join(tmpdir(), "revka-tar-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const entries = [
  { path: "revka-1/revka", content: Buffer.from("#!/bin/sh\n".repeat(100)), executable: true },
  { path: "revka-1/LICENSE", content: Buffer.from("MIT"), executable: false },
  { path: "revka-1/empty", content: Buffer.alloc(0), executable: false },
  { path: "revka-1/block", content: Buffer.alloc(512, "b"), executable: false },
];
const modifiedAt = 1_700_000_000;
const archive = Buffer.concat(tarOf(entries, modifiedAt));

test("tar reads the archive: sorted, owned by root, with the commit's time", () => {
  const listed = spawnSync("tar", ["-tvf", "-", "--numeric-owner", "--full-time"], {
    input: archive,
    encoding: "utf8",
    env: { PATH: process.env["PATH"], TZ: "UTC" },
  });
  expect(listed.stderr).toBe("");
  const time = "2023-11-14 22:13:20";
  expect(listed.stdout.trim().split("\n")).toEqual([
    `-rw-r--r-- 0/0               3 ${time} revka-1/LICENSE`,
    `-rw-r--r-- 0/0             512 ${time} revka-1/block`,
    `-rw-r--r-- 0/0               0 ${time} revka-1/empty`,
    `-rwxr-xr-x 0/0            1000 ${time} revka-1/revka`,
  ]);
});

test("every file comes out as it went in", () => {
  for (const { path, content } of entries) {
    const file = spawnSync("tar", ["-xOf", "-", path], { input: archive });
    expect(file.stdout.equals(content)).toBe(true);
  }
});

test("the order of the entries changes nothing", () => {
  expect(Buffer.concat(tarOf(entries.toReversed(), modifiedAt)).equals(archive)).toBe(true);
});

test("the source of a commit is an archive of its own, the same each time", () => {
  const source = Buffer.from(sourceArchive(root, "HEAD", "revka-source"));
  const listed = spawnSync("tar", ["-tf", "-"], { input: source, encoding: "utf8" });
  const names = listed.stdout.split("\n");
  for (const name of ["src/main.ts", "scripts/build.ts", "bun.lock", "LICENSE"]) {
    expect(names).toContain(`revka-source/${name}`);
  }
  expect(source.equals(sourceArchive(root, "HEAD", "revka-source"))).toBe(true);
  expect(() => sourceArchive(root, "no-such-commit", "revka-source")).toThrow("git archive failed");
});

test("a path that the format cannot hold is refused", () => {
  const long = { path: "é".repeat(51), content: Buffer.alloc(0), executable: false };
  expect(() => tarOf([long], modifiedAt)).toThrow("too long");
});

test.skipIf(!findExecutable("xz"))(
  "compressing does not depend on the environment (needs xz)",
  async () => {
    const [first, second] = [join(scratch, "first.xz"), join(scratch, "second.xz")];
    await compress([archive], first);
    process.env["XZ_OPT"] = "-0";
    try {
      await compress([archive.subarray(0, 700), archive.subarray(700)], second);
    } finally {
      delete process.env["XZ_OPT"];
    }
    expect(readFileSync(second).equals(readFileSync(first))).toBe(true);
    const unpacked = spawnSync("xz", ["-dc", first]);
    expect(unpacked.stdout.equals(archive)).toBe(true);
  },
);

test.skipIf(!findExecutable("xz"))("what cannot be written is an error (needs xz)", async () => {
  const file = join(scratch, "no-folder/archive.xz");
  await expect(compress([archive], file)).rejects.toThrow("ENOENT");
});

const packed = test.skipIf(!findExecutable("xz"));

packed("machine code is packed by its kind, in what old tools can unpack (needs xz)", async () => {
  // Calls of one function from many places: the filter makes their addresses equal.
  const code = Buffer.alloc(200_000, 0x90);
  for (let at = 0; at + 5 < code.length; at += 37) {
    code[at] = 0xe8;
    code.writeInt32LE(100_000 - (at + 5), at + 1);
  }
  const sizes = new Map<Target | null, number>();
  for (const target of [null, "linux-x64", "linux-arm64"] as const) {
    const file = join(scratch, `code-${target}.xz`);
    await compress([code], file, target);
    const unpacked = spawnSync("xz", ["-dc", `--memlimit=${memoryToUnpack}`, file]);
    expect(unpacked.stdout.equals(code)).toBe(true);
    // The ARM64 filter came with xz 5.4; older ones cannot read it.
    const { stdout } = spawnSync("xz", ["--list", "-vv", file], { encoding: "utf8" });
    expect(stdout).not.toContain("--arm64");
    sizes.set(target, statSync(file).size);
  }
  expect(sizes.get("linux-x64") ?? 0).toBeLessThan((sizes.get(null) ?? 0) / 5);
});

packed("instructions of four bytes are packed as such (needs xz)", async () => {
  // Registers and addresses differ, the opcode at the end of each word is one of few.
  const code = Buffer.alloc(200_000);
  let state = 1;
  for (let at = 0; at < code.length; at += 4) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    code.writeUInt32LE(((state >>> 8) & 0x3ff) + 0x94000000, at);
  }
  const sizeFor = async (target: Target | null) => {
    const file = join(scratch, `words-${target}.xz`);
    await compress([code], file, target);
    return statSync(file).size;
  };
  expect(await sizeFor("linux-arm64")).toBeLessThan(await sizeFor(null));
});
