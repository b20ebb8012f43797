import { describe, expect, test } from "bun:test";
import { inOrder, loadedWith } from "../../scripts/build/parts.ts";

test("parts are named in the order in which they are mentioned, the unreached not at all", () => {
  const texts = new Map([
    ["main.js", 'import("./chunk-bbbbbbbb.js"); import("./chunk-aaaaaaaa.js")'],
    ["chunk-aaaaaaaa.js", 'import "./chunk-bbbbbbbb.js"; import "./chunk-cccccccc.js"'],
    ["chunk-bbbbbbbb.js", '"chunk-00000000.js is only a text"'],
    ["chunk-cccccccc.js", ""],
    ["chunk-dddddddd.js", ""],
  ]);
  expect([...inOrder("main.js", texts)]).toEqual([
    ["main.js", "main.js"],
    ["chunk-bbbbbbbb.js", "part-1.js"],
    ["chunk-aaaaaaaa.js", "part-2.js"],
    ["chunk-cccccccc.js", "part-3.js"],
  ]);
});

describe("what a start loads", () => {
  const part = (holds: string[], ...imports: string[]) => ({ holds, imports });
  const parts = new Map([
    ["main.js", part(["/x/src/main.ts"], "terminal.js")],
    ["terminal.js", part(["/x/src/commands/terminal.ts"])],
    ["daemon.js", part(["/x/src/daemon.ts", "/x/src/other.ts"], "zod.js")],
    ["zod.js", part(["/x/node_modules/zod/index.js"], "core.js")],
    ["core.js", part(["/x/node_modules/zod/core.js"])],
    ["ai.js", part(["/x/node_modules/ai/index.js"], "core.js")],
  ]);

  test("is the entry, the files named, and what they import in turn", () => {
    expect([...loadedWith("main.js", ["src/daemon.ts"], parts)].toSorted()).toEqual([
      "core.js",
      "daemon.js",
      "main.js",
      "terminal.js",
      "zod.js",
    ]);
    expect([...loadedWith("main.js", [], parts)]).toEqual(["main.js", "terminal.js"]);
  });

  test("cannot be told of a file that is gone", () => {
    expect(() => loadedWith("main.js", ["src/deamon.ts"], parts)).toThrow(
      "no part holds src/deamon.ts",
    );
  });
});
