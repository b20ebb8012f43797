import { exitCode, type Command } from "./command.ts";
import { askDaemon } from "./running-daemon.ts";

export const command: Command = {
  usage: "redeliver ID",
  about:
    "Tries a failed delivery again. `revka status` lists the failed ones with their ids and reasons.",
  options: {},
  positionals: [1, 1],
  examples: [["revka redeliver 01k9m2x7p4q8r6s5t3v1w0y2z", "queue it once more"]],
  async run(invocation) {
    const id = invocation.positionals[0] ?? "";
    await askDaemon(invocation, (daemon) => daemon.redeliver(id));
    invocation.terminal.out(`${id} is queued again; revka status shows what becomes of it.\n`);
    return exitCode.fine;
  },
};
