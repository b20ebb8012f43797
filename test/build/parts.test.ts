import { expect, test } from "bun:test";
import { inOrder } from "../../scripts/build/parts.ts";

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
