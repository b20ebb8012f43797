import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./documents.ts";

export interface Step {
  command: string;
  /** What is typed into it, up to a line `^D`. */
  input: string;
  expected: string;
}

/** `$ command`, what is typed into it and what it prints, as they stand in a `console` block. */
export function stepsOf(text: string): Step[] {
  const steps: Step[] = [];
  let continued = false;
  for (const line of text.split("\n")) {
    const last = steps.at(-1);
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), input: "", expected: "" });
    else if (continued && last) last.command += `\n${line}`;
    else if (last && line === "^D") {
      last.input = last.expected;
      last.expected = "";
    } else if (last) last.expected += `${line}\n`;
    else throw new Error(`a console block begins with "$ ", not with "${line}"`);
    continued = (line.startsWith("$ ") || continued) && line.endsWith("\\");
  }
  return steps;
}

/** Makes `revka` and `npx -y bun@1.4.5 run …` of a fresh machine, as programs in `folder`. */
export function makePrograms(folder: string, binary = process.env["REVKA_BINARY"]): void {
  const revka = binary ? `"${binary}"` : `"${process.execPath}" "${root}/src/main.ts"`;
  mkdirSync(folder, { recursive: true });
  const program = (name: string, body: string) => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
  };
  program("revka", `exec ${revka} "$@"`);
  // The packages are there already: what is left of `npx -y bun@1.4.5 run demo` is the demo.
  program("npx", `[ "$1 $2 $3" = "-y bun@1.4.5 run" ] || exit 127\nshift 3\nexec ${revka} "$@"`);
}

/** Runs a line in a shell whose home is `home`, types `input` into it, and answers how it ended and all it printed. */
export function runLine(
  command: string,
  home: string,
  programs: string,
  input = "",
): Promise<{ code: number | null; printed: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn("/bin/sh", ["-c", command], {
      cwd: home,
      env: { HOME: home, PATH: `${programs}:/usr/bin:/bin`, NO_COLOR: "1" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    // Most commands read nothing, and may be gone by now.
    child.stdin.on("error", () => {}).end(input);
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (part: string) => (printed += part));
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, printed }));
  });
}

/**
 * Whether what was printed is what a document says. White space counts as one blank, every number as any other but
 * nought, the home as `/home/you`; `…` stands for anything.
 */
export function matches(expected: string, printed: string, home: string): boolean {
  const plain = (text: string) =>
    text
      .replaceAll(home, "/home/you")
      .replace(/revka-demo-\w+/g, "revka-demo")
      .replace(/(?<![\d.])(?!0(?![\d.]))\d+(\.\d+)?/g, "1")
      .replace(/\s+/g, " ")
      .trim();
  const pattern = plain(expected)
    .split("…")
    .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"))
    .join("[^]*");
  return new RegExp(`^${pattern}$`).test(plain(printed));
}
