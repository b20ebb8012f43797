import { processTerminal } from "./commands/terminal.ts";
import { versionLine } from "./runtime/build-info.ts";

const words = process.argv.slice(2);
const terminal = processTerminal();
void answer().then(async (code) => {
  await terminal.written();
  // Sockets kept alive by a command must not keep it running.
  process.exit(code);
});

/**
 * The commands are imported only where there is one: a version is told as fast as the runtime starts, and how a daemon
 * stands nearly so.
 */
async function answer(): Promise<number> {
  const only = words.length === 1 ? words[0] : undefined;
  if (only === "--version" || only === "-V") {
    terminal.out(`${versionLine()}\n`);
    return 0;
  }
  if (only === "status") {
    const { plainStatus } = await import("./commands/status/plain.ts");
    const code = await plainStatus(process.env, terminal);
    if (code !== null) return code;
  }
  const { run } = await import("./commands/run.ts");
  return run(words, process.env, terminal);
}
