import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Puts `text` between the marks of `name` in the document, where it replaces what an earlier run wrote; what people
 * wrote around it stays. A document without those marks gets a new chapter at its end.
 */
export function replaceSection(document: string, name: string, text: string): string {
  const begin = `<!-- bench:${name} -->`;
  const end = `<!-- /bench:${name} -->`;
  const block = `${begin}\n\n${text.trim()}\n\n${end}`;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  if (from >= 0 && to > from) {
    return document.slice(0, from) + block + document.slice(to + end.length);
  }
  return `${document.trimEnd()}\n\n## ${name}\n\n${block}\n`;
}

/** {@link replaceSection} in a file. */
export function writeSection(path: string, name: string, text: string): void {
  const before = existsSync(path) ? readFileSync(path, "utf8") : "# Performance\n";
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, replaceSection(before, name, text));
}
