import { printable } from "../telemetry/printable.ts";
import { CommandError, exitCode, type Command, type Invocation } from "./command.ts";
import { followLink, linkOptions, readLinkOptions } from "./link/follow.ts";
import { askDaemon } from "./running-daemon.ts";

/** The daemon logs out, hands over what it received and moves the session aside, with a limit of its own for each. */
const patienceMs = 20_000;

export const command: Command = {
  usage: "relink [--png FILE] [--wait SECONDS] [--yes]",
  about:
    "Forgets the WhatsApp Web session and links anew: shows the QR or pair code and waits until the phone has taken it. The old session file is kept beside its place. At a terminal it asks first. `revka link` shows a code without forgetting anything.",
  options: { ...linkOptions, yes: { description: "Log out without a question" } },
  examples: [["revka relink", "then scan the code in WhatsApp: Settings, Linked devices"]],
  async run(invocation) {
    const options = readLinkOptions(invocation);
    if (invocation.terminal.interactive && !invocation.options["yes"]) await confirm(invocation);
    await askDaemon(invocation, (daemon) => daemon.relink(), patienceMs);
    if (options.wait > 0) return followLink(invocation, options);
    invocation.terminal.out(
      "The session is forgotten; `revka link` shows the code to link with.\n",
    );
    return exitCode.fine;
  },
};

/** Asks the person, where there is a link to lose. Throws {@link CommandError} unless they agree. */
async function confirm(invocation: Invocation): Promise<void> {
  const { channels } = await askDaemon(invocation, (daemon) => daemon.status());
  const linkedAs = channels.find(({ backend }) => backend === "web")?.linked_as;
  if (!linkedAs) return;
  const { terminalPrompt } = await import("./init/prompt.ts");
  const prompt = terminalPrompt(invocation.terminal);
  const text = `This logs out ${printable(linkedAs)} until a phone takes the new code. Go on? [y/N]`;
  // An input that ends agrees to nothing.
  const answer = await prompt.ask({ text }).catch(() => "");
  prompt.close();
  if (!/^y(es)?$/i.test(answer)) throw new CommandError("stopped; the link is as it was");
}
