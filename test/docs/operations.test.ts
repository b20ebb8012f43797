import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { refusalReasons } from "../../src/access/admission.ts";
import { root, textOf } from "./documents.ts";

const page = textOf("docs/operations.md");

test("every metric is described", () => {
  const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"))
    .join("\n");
  const names = [...source.matchAll(/"(revka_[a-z_]+)"/g)].map(([, name = ""]) => name);
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
});

test("every reason of a refusal is described", () => {
  const missing = Object.keys(refusalReasons).filter((reason) => !page.includes(`\`${reason}\``));
  expect(missing).toEqual([]);
});
