import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The documents for users, and how their code blocks are kept true:
 *
 * - `console` is run, in order, in an empty home: `$ command`, then what is typed into it up to `^D`, if anything, then
 *   what it prints. A line may end in `\`.
 * - `sh` is run line by line, but for the lines of which `shell.test.ts` says which other test runs them, or why none
 *   can; every command in it must exist as it stands.
 * - `toml` loads without a warning; `json` parses; `js FILE` and `sh FILE` are the files of an example that a test runs.
 * - `text` is for the eye alone.
 */
export interface CodeBlock {
  /** Relative to the project. */
  file: string;
  /** Of the opening fence, from 1. */
  line: number;
  language: string;
  /** The second word after the fence; "" where there is none. */
  name: string;
  text: string;
}

export const root = join(import.meta.dir, "../..");

/** Every document, relative to the project. */
export const documents: readonly string[] = [
  "README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .toSorted()
    .map((name) => `docs/${name}`),
];

export function textOf(file: string): string {
  return readFileSync(join(root, file), "utf8");
}

/** The fenced blocks of a document, those inside lists too. */
export function codeBlocks(file: string, markdown = textOf(file)): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { indent: string; block: CodeBlock; lines: string[] } | null = null;
  for (const [index, line] of markdown.split("\n").entries()) {
    const fence = /^(\s*)```(.*)$/.exec(line);
    if (!fence) {
      open?.lines.push(line.startsWith(open.indent) ? line.slice(open.indent.length) : line);
    } else if (open) {
      blocks.push({ ...open.block, text: open.lines.join("\n") });
      open = null;
    } else {
      const [language = "", name = ""] = (fence[2] ?? "").trim().split(/\s+/);
      const block = { file, line: index + 1, language, name, text: "" };
      open = { indent: fence[1] ?? "", block, lines: [] };
    }
  }
  if (open) throw new Error(`${file}:${open.block.line}: the block is never closed`);
  return blocks;
}

export const allBlocks: readonly CodeBlock[] = documents.flatMap((file) => codeBlocks(file));

export function placeOf({ file, line }: CodeBlock): string {
  return `${file}:${line}`;
}
