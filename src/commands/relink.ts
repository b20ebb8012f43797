import { exitCode, type Command } from "./command.ts";
import { followLink, linkOptions, readLinkOptions } from "./link/follow.ts";
import { askDaemon } from "./running-daemon.ts";

/** The daemon logs out, hands over what it received and moves the session aside, with a limit of its own for each. */
const patienceMs = 20_000;

export const command: Command = {
  usage: "relink [--png FILE] [--wait SECONDS]",
  about:
    "Forgets the WhatsApp Web session and links anew: shows the QR or pair code and waits until the phone has taken it. The old session file is kept beside its place. `revka link` shows a code without forgetting anything.",
  options: linkOptions,
  examples: [["revka relink", "then scan the code in WhatsApp: Settings, Linked devices"]],
  async run(invocation) {
    const options = readLinkOptions(invocation);
    await askDaemon(invocation, (daemon) => daemon.relink(), patienceMs);
    if (options.wait > 0) return followLink(invocation, options);
    invocation.terminal.out(
      "The session is forgotten; `revka link` shows the code to link with.\n",
    );
    return exitCode.fine;
  },
};
