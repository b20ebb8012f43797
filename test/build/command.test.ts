import { expect, test } from "bun:test";
import { join } from "node:path";
import { root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

const script = (name: string) => [process.execPath, join(root, `scripts/${name}.ts`)];

test.each<[name: string, words: string[], problem: string]>([
  ["build", ["--typo"], "Unknown option '--typo'"],
  ["build", ["--target", "linux"], 'unknown target "linux"'],
  ["build", ["--features", "web"], 'unknown feature "web"; there is whatsapp-web'],
  ["release", ["--only", "linux-x64,amiga"], 'unknown target "amiga"'],
  ["release", ["--variant", "web"], 'unknown variant "web"'],
  ["torture", ["--scenario", "rain"], 'there is no scenario "rain"'],
  ["web-kill", ["--rounds", "0"], '--rounds takes a whole number from 1 on, not "0"'],
  ["bench", ["weight"], "there is no bench weight"],
])("%s with %p says what is wrong, and how it is meant", async (name, words, problem) => {
  const { code, out, err } = await runAlone([...script(name), ...words]);
  expect({ code, out }).toEqual({ code: 64, out: "" });
  expect(err).toStartWith(`${problem}\n\nUsage: bun run ${name}`);
});

test("--help builds nothing", async () => {
  const { code, out, err } = await runAlone([...script("build"), "--help"]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toStartWith("Usage: bun run build");
  expect(out).toContain("linux-x64-musl");
});

test("a release with archives says at once that xz is missing", async () => {
  const words = [...script("release"), "--only", "linux-x64"];
  const { code, err } = await runAlone(words, { env: { PATH: "/nowhere" } });
  expect(err).toBe(
    "release: archives need the program xz: install it, or leave them out (--no-archives)\n",
  );
  expect(code).toBe(1);
});
