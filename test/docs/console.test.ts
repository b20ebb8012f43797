import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "bun:test";
import { makePrograms, matches, runLine, stepsOf } from "./console.ts";
import { allBlocks, documents, placeOf } from "./documents.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-docs-"));
const programs = join(folder, "bin");
makePrograms(programs);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("what a console block shows is what happens", () => {
  for (const file of documents) {
    const blocks = allBlocks.filter((block) => block.file === file && block.language === "console");
    if (blocks.length === 0) continue;
    const home = join(folder, file.replaceAll("/", "-"));
    mkdirSync(home);
    test.serial(
      file,
      async () => {
        for (const block of blocks) {
          for (const { command, input, expected } of stepsOf(block.text)) {
            const { code, printed } = await runLine(command, home, programs, input);
            // What is shown of a config that cannot be used begins with its name.
            const wanted = expected.startsWith("/home/you/.revka/config.toml:") ? 78 : 0;
            expect(code, `${placeOf(block)} $ ${command}\n${printed}`).toBe(wanted);
            if (matches(expected, printed, home)) continue;
            expect(`${placeOf(block)} $ ${command}\n${printed}`).toBe(expected);
          }
        }
      },
      60_000,
    );
  }
});

test("what differs does not match", () => {
  expect(matches("a 12 b", "a 345\n b\n", "/h")).toBeTrue();
  expect(matches("a 12.5", "a 0.2", "/h")).toBeTrue();
  expect(matches("a 2 b", "a 0 b", "/h")).toBeFalse();
  expect(matches("a 0 b", "a 2 b", "/h")).toBeFalse();
  expect(matches("a …", "a b c", "/h")).toBeTrue();
  expect(matches("a b", "a b c", "/h")).toBeFalse();
  expect(matches("in /home/you/x", "in /tmp/a/x", "/tmp/a")).toBeTrue();
});

test("a block is commands, what is typed into them and what they print", () => {
  expect(stepsOf("$ one \\\n  two\nout\n$ three\nword\n^D\nseen\n$ four")).toEqual([
    { command: "one \\\n  two", input: "", expected: "out\n" },
    { command: "three", input: "word\n", expected: "seen\n" },
    { command: "four", input: "", expected: "" },
  ]);
});
