import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readCredential } from "../../src/runtime/credentials.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function handOver(content?: string) {
  const folder = mkdtempSync(join(tmpdir(), "revka-credentials-"));
  folders.push(folder);
  if (content !== undefined) writeFileSync(join(folder, "revka-session-key"), content);
  return { CREDENTIALS_DIRECTORY: folder };
}

test.each([
  ["as it stands", "a b=c", "a b=c"],
  ["without its final line break", "abc\n", "abc"],
  ["without a Windows line break", "abc\r\n", "abc"],
  ["with inner line breaks", "a\n\nb\n", "a\n\nb"],
])("is read %s", (_, content, expected) => {
  expect(readCredential("revka-session-key", handOver(content))).toBe(expected);
});

test("is null where none was handed over", () => {
  expect(readCredential("revka-session-key", {})).toBeNull();
  expect(readCredential("revka-session-key", { CREDENTIALS_DIRECTORY: "" })).toBeNull();
  expect(readCredential("revka-session-key", handOver())).toBeNull();
});

test.each([
  ["empty", "\n", "is empty"],
  ["far too long", "x".repeat(70_000), "is over"],
])("%s is an error that says so and quotes nothing", (_, content, message) => {
  expect(() => readCredential("revka-session-key", handOver(content))).toThrow(message);
});

test("one that cannot be looked at is an error, and not none", () => {
  const { CREDENTIALS_DIRECTORY } = handOver("abc");
  const env = { CREDENTIALS_DIRECTORY: join(CREDENTIALS_DIRECTORY, "revka-session-key") };
  expect(() => readCredential("revka-session-key", env)).toThrow("cannot be read");
});
