import { channelOption, chosenChannel } from "./channel-option.ts";
import { exitCode, type Command } from "./command.ts";
import { askDaemon } from "./running-daemon.ts";
import { target } from "./target.ts";

export const command: Command = {
  usage: "resume CHAT [--channel NAME]",
  about: "Answers a chat again that `revka pause` stopped. `revka status` lists the paused ones.",
  options: { channel: channelOption },
  positionals: [1, 1],
  examples: [["revka resume +15551234567", "the bot answers there again"]],
  async run(invocation) {
    const chat = target(invocation.positionals[0] ?? "");
    const channel = chosenChannel(invocation.options["channel"]);
    const { changed } = await askDaemon(invocation, (daemon) =>
      daemon.resume({ chat, ...channel }),
    );
    invocation.terminal.out(changed ? `${chat} is answered again.\n` : `${chat} was not paused.\n`);
    return exitCode.fine;
  },
};
