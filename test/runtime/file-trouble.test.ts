import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { fileTrouble } from "../../src/runtime/file-trouble.ts";

const coded = (code: string) => Object.assign(new Error(`${code}: failed`), { code });

test.each([
  [coded("ENOSPC"), "the disk is full"],
  [coded("EACCES"), "this account may not"],
  [coded("EMFILE"), "EMFILE"],
  [new Error("torn"), "Error: torn"],
  ["torn", "torn"],
])("%p is %p", (error, words) => {
  expect(fileTrouble(error)).toBe(words);
});

test("a part of the path that is a file is told as the system does", () => {
  const of = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch (error) {
      return fileTrouble(error);
    }
  };
  expect(of(`${import.meta.path}/config.toml`)).toBe("a part of its path is no folder");
  expect(of(import.meta.dir)).toBe("it is a folder");
});
