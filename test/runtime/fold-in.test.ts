import { expect, spyOn, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import { foldIn } from "../../src/runtime/fold-in.ts";

test.each([
  ["a full disk keeps it where it is", 13, undefined],
  ["of a disk that fails nothing is taken for granted", 10, "no"],
  ["nor of one that fails in some more special way", 10 | (4 << 8), "no"],
])("%s", (_, errcode, thrown) => {
  const database = new DatabaseSync(":memory:");
  spyOn(database, "exec").mockImplementation(() => {
    throw Object.assign(new Error("no"), { errcode });
  });
  const said = () => {
    try {
      return void foldIn(database);
    } catch (error) {
      return error instanceof Error ? error.message : "something else";
    }
  };
  expect(said()).toBe(thrown);
});
