import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

const build = [process.execPath, join(root, "scripts/build.ts")];

test.each<[words: string[], fault: string]>([
  [["--typo"], "Unknown option '--typo'"],
  [["--target", "linux"], 'unknown target "linux"'],
  [["--features", "web"], 'unknown feature "web"; there is whatsapp-web'],
])("a build with %p says what is wrong, and what there is", async (words, fault) => {
  const { code, out, err } = await runAlone([...build, ...words]);
  expect({ code, out }).toEqual({ code: 1, out: "" });
  expect(err).toStartWith(`build: ${fault}\nUsage: bun run build`);
  expect(err).toContain("linux-x64-musl");
});

test("--help builds nothing", async () => {
  const { code, out, err } = await runAlone([...build, "--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toStartWith("Usage: bun run build");
});
