import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findExecutable } from "../../src/runtime/executable.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-executable-"));
afterAll(() => rmSync(folder, { recursive: true }));
mkdirSync(join(folder, "bin", "directory"), { recursive: true });
writeFileSync(join(folder, "bin", "tool"), "");
chmodSync(join(folder, "bin", "tool"), 0o755);
writeFileSync(join(folder, "bin", "text"), "");
chmodSync(join(folder, "bin", "text"), 0o644);

const path = `/nowhere::${join(folder, "bin")}`;
test.each([
  ["tool", join(folder, "bin", "tool")],
  ["text", null],
  ["directory", null],
  ["missing", null],
  ["", null],
  [join(folder, "bin", "tool"), join(folder, "bin", "tool")],
  ["./bin/tool", join(folder, "bin", "tool")],
  ["./tool", null],
])("%p is %p", (name, found) => {
  expect(findExecutable(name, path, folder)).toBe(found);
});

test("without PATH nothing is found by name", () => {
  expect(findExecutable("tool", "", folder)).toBeNull();
});

test("what is found in a folder that PATH names from here is told as an absolute path", () => {
  expect(findExecutable("tool", "bin", folder)).toBe(join(folder, "bin", "tool"));
});

test("an empty part of PATH is not the folder one happens to be in", () => {
  const before = process.cwd();
  process.chdir(join(folder, "bin"));
  try {
    expect(findExecutable("tool", "/nowhere::")).toBeNull();
  } finally {
    process.chdir(before);
  }
});
