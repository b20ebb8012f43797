import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "bun:test";
import { parse } from "smol-toml";
import { loadConfig } from "../../src/config/load.ts";
import { formatProblem } from "../../src/config/problems.ts";
import { allBlocks, placeOf } from "./documents.ts";

const home = mkdtempSync(join(tmpdir(), "revka-docs-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const known = [
  "console",
  "sh",
  "toml",
  "json",
  "js",
  "python",
  "text",
  "caddyfile",
  "nginx",
  "ini",
];

test("every block says what it is", () => {
  const strange = allBlocks.filter(({ language }) => !known.includes(language)).map(placeOf);
  expect(strange).toEqual([]);
});

describe("toml loads without a warning", () => {
  for (const block of allBlocks.filter(({ language }) => language === "toml")) {
    test(placeOf(block), () => {
      const given = parse(block.text);
      const answered = "agent" in given || "default_provider" in given;
      const path = join(home, "config.toml");
      // A snippet about something else need not say who answers.
      writeFileSync(path, answered ? block.text : `${block.text}\n[agent]\nkind = "echo"\n`);
      const { warnings } = loadConfig({ path, env: {}, home });
      expect(warnings.map(formatProblem)).toEqual([]);
    });
  }
});

describe("json parses", () => {
  for (const block of allBlocks.filter(({ language }) => language === "json")) {
    test(placeOf(block), () => {
      expect(() => JSON.parse(block.text)).not.toThrow();
    });
  }
});
