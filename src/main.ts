import { run } from "./commands/run.ts";
import { processTerminal } from "./commands/terminal.ts";

// No top-level await: a binary with bytecode is CommonJS.
void run(process.argv.slice(2), process.env, processTerminal()).then((code) => {
  // Sockets kept alive by a command must not keep it running; what it wrote must still come out.
  process.stdout.write("", () => process.stderr.write("", () => process.exit(code)));
});
