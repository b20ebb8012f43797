import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../src/commands/run.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/** A home of its own for a test; `undo` gets its removal. */
export function temporaryHome(undo: (() => unknown)[]): string {
  const home = mkdtempSync(join(tmpdir(), "revka-home-"));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  return home;
}

/** Runs a command in this process, with an environment of its own and a terminal that records. */
export async function revka(
  words: string[],
  env: Record<string, string>,
  terminal: {
    input?: string | Iterable<string>;
    interactive?: boolean;
    color?: boolean;
    columns?: number;
  } = {},
): Promise<Ran> {
  const ran: Ran = { code: -1, out: "", err: "" };
  ran.code = await run(words, env, {
    out: (text) => (ran.out += text),
    err: (text) => (ran.err += text),
    input: Readable.from(
      typeof terminal.input === "string" ? [terminal.input] : (terminal.input ?? []),
    ),
    interactive: terminal.interactive ?? false,
    color: terminal.color ?? false,
    columns: terminal.columns,
  });
  return ran;
}

/** The longest line, for what must fit a terminal. */
export function widest(text: string): number {
  return Math.max(...text.split("\n").map((line) => [...line].length));
}
