import { channelOption, chosenChannel } from "./channel-option.ts";
import { exitCode, type Command } from "./command.ts";
import { askDaemon } from "./running-daemon.ts";
import { shellQuote } from "../runtime/shell-quote.ts";
import { target } from "./target.ts";

export const command: Command = {
  usage: "pause CHAT [--channel NAME]",
  about:
    "Stops answering one chat, so that a person can take over. Messages are still received and kept; `revka resume` goes on with them.",
  options: { channel: channelOption },
  positionals: [1, 1],
  examples: [["revka pause +15551234567", "the bot is silent in that chat, also after a restart"]],
  async run(invocation) {
    const chat = target(invocation.positionals[0] ?? "");
    const channel = chosenChannel(invocation.options["channel"]);
    const { changed } = await askDaemon(invocation, (daemon) => daemon.pause({ chat, ...channel }));
    const done = changed ? `Paused ${chat}.` : `${chat} was paused already.`;
    const named = channel.channel === undefined ? "" : ` --channel ${channel.channel}`;
    invocation.terminal.out(`${done} Go on with: revka resume ${shellQuote(chat)}${named}\n`);
    return exitCode.fine;
  },
};
