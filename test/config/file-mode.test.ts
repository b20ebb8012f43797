import { afterAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFileMode } from "../../src/config/file-mode.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-mode-"));
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  [0o600, false],
  [0o640, true],
  [0o604, true],
  [0o620, false],
])("mode %o", (mode, readableByOthers) => {
  const file = join(folder, "config.toml");
  writeFileSync(file, "");
  chmodSync(file, mode);
  expect(configFileMode(file)).toEqual({ mode, readableByOthers });
});

test("no file, no mode", () => expect(configFileMode(join(folder, "none"))).toBeNull());
