import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "bun:test";
import { root, textOf } from "./documents.ts";

const folder = join(root, "src/commands/doctor");
const pages = ["cloud-setup", "wati-setup", "whatsapp-web"].map((name) =>
  textOf(`docs/${name}.md`),
);

test("every line of doctor is described", () => {
  const source = readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
  const lines = [...source.matchAll(/\b(?:ok|info|warning|error)\(\s*"([^"]+)"/g)];
  const names = [...new Set(lines.map(([, name = ""]) => name))];
  expect(names.length).toBeGreaterThan(30);
  // The line of a webhook names its path as well.
  const described = (name: string) =>
    pages.some((page) => page.includes(`\`${name}\``) || page.includes(`\`${name} /`));
  expect(names.filter((name) => !described(name))).toEqual([]);
});
