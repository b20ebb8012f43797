import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "bun:test";
import { documents, root, textOf } from "./documents.ts";

/** As GitHub names the anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .trim()
    .replace(/\s/g, "-");
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^\s*```[\s\S]*?^\s*```/gm, "");
}

function anchorsOf(file: string): string[] {
  return [...withoutCode(textOf(file)).matchAll(/^#{1,6} (.+)$/gm)].map(([, text = ""]) =>
    anchorOf(text),
  );
}

describe("every link leads somewhere", () => {
  for (const file of documents) {
    test(file, () => {
      const links = [...withoutCode(textOf(file)).matchAll(/\]\(([^)\s]+)\)/g)]
        .map(([, target = ""]) => target)
        .filter((target) => !/^(https?:|mailto:)/.test(target));
      const broken = links.filter((link) => {
        const [path = "", anchor] = link.split("#");
        const target = path === "" ? file : relative(root, join(root, dirname(file), path));
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchorsOf(target).includes(anchor);
      });
      expect(broken).toEqual([]);
    });
  }
});

test("the README leads to every document", () => {
  const page = textOf("README.md");
  const lost = documents.filter((file) => file !== "README.md" && !page.includes(`(${file})`));
  expect(lost).toEqual([]);
});
