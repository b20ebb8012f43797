import { afterEach, expect, test } from "bun:test";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeHome } from "../../src/runtime/home.ts";
import { temporaryHome } from "../support/command.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

test("the home is made for its owner alone, and left as it is where it is there", () => {
  const home = join(temporaryHome(undo), "a", "b");
  makeHome(home);
  makeHome(home);
  expect(statSync(home).mode & 0o777).toBe(0o700);
});

test("where it cannot be made, the error says where and what to do", () => {
  const file = join(temporaryHome(undo), "file");
  writeFileSync(file, "");
  expect(() => makeHome(join(file, "home"))).toThrow(
    `the home ${file}/home cannot be made (a part of its path is no folder): mend the folder above it, or set REVKA_HOME`,
  );
  expect(() => makeHome(file)).toThrow(
    `the home ${file} is a file, expected a folder: move it away, or set REVKA_HOME`,
  );
});
