import { processTerminal } from "./commands/terminal.ts";
import { versionLine } from "./runtime/build-info.ts";

const words = process.argv.slice(2);
const terminal = processTerminal();
void answer().then(async (code) => {
  await terminal.written();
  // Sockets kept alive by a command must not keep it running.
  process.exit(code);
});

/** The commands are imported only where there is one: a version is told as fast as the runtime starts. */
async function answer(): Promise<number> {
  if (words.length === 1 && (words[0] === "--version" || words[0] === "-V")) {
    terminal.out(`${versionLine()}\n`);
    return 0;
  }
  const { run } = await import("./commands/run.ts");
  return run(words, process.env, terminal);
}
