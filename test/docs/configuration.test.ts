import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { configReference } from "../../scripts/config-reference.ts";
import { sectionsOf } from "../../scripts/config-reference/sections.ts";
import { table } from "../../scripts/config-reference/table.ts";

const root = join(import.meta.dir, "../..");
const page = readFileSync(join(root, "docs/configuration.md"), "utf8");

test("docs/configuration.md is what the schema says (else: bun run docs:config)", () => {
  expect(page).toBe(configReference());
});

test("every variable that the source reads is named", () => {
  const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"))
    .join("\n");
  const builtIn = /^REVKA_(VERSION|COMMIT|TARGET|BUILT_AT|WHATSAPP_WEB|NOTICES_FILE)$/;
  const read = new Set(source.match(/\bREVKA_[A-Z_]*[A-Z]\b/g));
  const missing = [...read].filter((name) => !builtIn.test(name) && !page.includes(`\`${name}\``));
  expect(missing).toEqual([]);
});

test("a section lists its own keys, with defaults where there are some", () => {
  const schema = {
    properties: {
      top: { type: "string", secret: true, description: 'A "word" and `code`, SOME_VARIABLE' },
      inner: {
        description: "Inner",
        properties: { count: { type: "integer", minimum: 1, maximum: 2 ** 53 } },
      },
    },
  };
  expect(sectionsOf(schema, { inner: { count: 3 } })).toEqual([
    {
      path: "",
      about: "",
      keys: [
        {
          name: "top",
          type: "text, secret",
          fallback: "",
          meaning: 'A `"word"` and `code`, `SOME_VARIABLE`',
        },
      ],
    },
    {
      path: "inner",
      about: "Inner",
      keys: [{ name: "count", type: "whole number, at least 1", fallback: "`3`", meaning: "" }],
    },
  ]);
});

test("a table is padded as the formatter pads it", () => {
  expect(table(["a", "bc"], [["x|y", "…"]])).toBe(
    ["| a    | bc  |", "| ---- | --- |", "| x\\|y | …   |"].join("\n"),
  );
});
