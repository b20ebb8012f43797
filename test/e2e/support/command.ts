import { expect } from "bun:test";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

export interface CommandResult {
  code: number | null;
  out: string;
  err: string;
}

/**
 * Runs a command of Revka as a process of its own, without a terminal, with nothing of this environment but PATH. While
 * it runs, this process goes on: simulators of this process can answer it.
 */
export function command(
  words: string[],
  env: Record<string, string>,
  input = "",
): Promise<CommandResult> {
  const binary = process.env["REVKA_BINARY"];
  const [file, first] = binary ? [binary, []] : [process.execPath, [main]];
  return new Promise((resolve, reject) => {
    const child = spawn(file, [...first, ...words], {
      env: { PATH: process.env["PATH"], ...env },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (part: Buffer) => (out += part.toString("utf8")));
    child.stderr.on("data", (part: Buffer) => (err += part.toString("utf8")));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, out, err }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** Every line of a page fits a terminal of 80 columns, but for lines that are one long word (a path). */
export function expectNarrow(page: string): void {
  const wide = page.split("\n").filter((line) => [...line].length > 80);
  expect(wide.filter((line) => !/\S{60}/.test(line))).toEqual([]);
}
