import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "../support/store.ts";

const source = join(import.meta.dir, "../../src/runtime/is-terminal.ts");
let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

/** What a process says of its three streams that is started in this way. */
function said(start: (process: string) => string[]): unknown {
  const [script, answer] = [join(folder.path, "script.ts"), join(folder.path, "answer")];
  writeFileSync(
    script,
    `import { isTerminal } from ${JSON.stringify(source)};
    await Bun.write(${JSON.stringify(answer)}, JSON.stringify([0, 1, 2].map(isTerminal)));`,
  );
  Bun.spawnSync(start(`${process.execPath} ${script}`), { stdin: "ignore" });
  return JSON.parse(readFileSync(answer, "utf8"));
}

test.each([
  ["pipes and a file", (it: string) => `echo | ${it} 2> err | cat`],
  ["/dev/null", (it: string) => `${it} < /dev/null > /dev/null 2> /dev/null`],
  ["another device", (it: string) => `${it} < /dev/zero > /dev/zero 2> /dev/zero`],
])("no person stands behind %s", (_, line) => {
  const streams = said((it) => ["sh", "-c", `cd ${folder.path}; ${line(it)}`]);
  expect(streams).toEqual([false, false, false]);
});

const terminals = process.platform === "linux" && Bun.which("script") !== null;
test.skipIf(!terminals)("a person may stand behind a terminal, for each stream by itself", () => {
  const at = (line: string) => said((it) => ["script", "-qec", `${it} ${line}`, "/dev/null"]);
  expect(at("")).toEqual([true, true, true]);
  expect(at("< /dev/null")).toEqual([false, true, true]);
  expect(at("2> /dev/null")).toEqual([true, true, false]);
});
