import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/store.ts";

const source = join(import.meta.dir, "../../src/commands/terminal.ts");
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

/** A process that does this with its terminal, as a shell starts it by this line. */
function shell(script: string, line: (it: string) => string, env: Record<string, string> = {}) {
  const file = join(folder.path, "script.ts");
  const start = `import { processTerminal } from ${JSON.stringify(source)};
    const terminal = processTerminal();`;
  writeFileSync(file, `${start}\n${script}`);
  const words = ["bash", "-o", "pipefail", "-c", line(`${process.execPath} ${file}`)];
  const { NO_COLOR: _, ...rest } = process.env;
  const { exitCode, stdout, stderr } = Bun.spawnSync(words, {
    cwd: folder.path,
    env: { ...rest, ...env },
  });
  return { code: exitCode, out: stdout.toString(), err: stderr.toString() };
}

test("what is said here and there is read in the order it was said", () => {
  const said = `terminal.out("1\\n"); terminal.err("2\\n"); terminal.out("3\\n"); terminal.err("4\\n");
    await terminal.written(); terminal.err("5\\n"); terminal.out("6\\n"); await terminal.written();`;
  expect(shell(said, (it) => `${it} 2>&1`)).toEqual({
    code: 0,
    out: "1\n2\n3\n4\n5\n6\n",
    err: "",
  });
});

test("a reader that goes away in the midst of it ends it without a word", () => {
  const endless = `for (;;) { terminal.out("x".repeat(100_000)); await terminal.written(); }`;
  expect(shell(endless, (it) => `${it} | head -c 1`)).toEqual({ code: 0, out: "x", err: "" });
});

test("so does a reader of what goes wrong", () => {
  const endless = `for (;;) { terminal.err("x".repeat(100_000)); await terminal.written(); }`;
  expect(shell(endless, (it) => `${it} 2>&1 >/dev/null | head -c 1`)).toMatchObject({
    code: 0,
    out: "x",
  });
});

test("so does a terminal that hangs up", async () => {
  const file = join(folder.path, "script.ts");
  const endless = (stream: string) => `import { processTerminal } from ${JSON.stringify(source)};
    process.on("SIGHUP", () => {});
    const terminal = processTerminal();
    for (;;) { terminal.${stream}("x".repeat(100)); await terminal.written(); }`;
  for (const stream of ["out", "err"]) {
    writeFileSync(file, endless(stream));
    const child = Bun.spawn([process.execPath, file], {
      terminal: { data: (terminal) => terminal.close() },
    });
    expect([stream, await child.exited]).toEqual([stream, 0]);
  }
});

const terminals = process.platform === "linux" && Bun.which("script") !== null;
test.skipIf(!terminals)(
  "it is asked of a person who reads, and coloured where that is seen",
  () => {
    const tell = `await Bun.write("told", [terminal.interactive, terminal.color].join());`;
    const at = (redirected: string, env: Record<string, string> = {}) => {
      shell(tell, (it) => `script -qec '${it} ${redirected}' /dev/null < /dev/null`, env);
      return readFileSync(join(folder.path, "told"), "utf8");
    };
    expect(at("")).toBe("true,true");
    expect(at("", { NO_COLOR: "1" })).toBe("true,false");
    expect(at("> /dev/null")).toBe("true,false");
    expect(at("< /dev/null")).toBe("false,true");
    expect(at("2> /dev/null")).toBe("false,true");
  },
);
