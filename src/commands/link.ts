import type { Command } from "./command.ts";
import { firstCode, followLink, linkOptions, readLinkOptions } from "./link/follow.ts";

export const command: Command = {
  usage: "link [--png FILE] [--wait SECONDS]",
  about: `Shows the QR or pair code of a daemon that waits for a phone, and each new one, until the phone has taken it. With --wait 0, as without a terminal, it shows one code, and waits at most ${firstCode} s for that. It forgets nothing: a linked session stays linked. \`revka relink\` begins anew.`,
  options: linkOptions,
  examples: [
    ["revka link", "then scan the code in WhatsApp: Settings, Linked devices"],
    ["revka link --png code.png", "the code as an image, kept current, removed at the end"],
  ],
  async run(invocation) {
    return followLink(invocation, readLinkOptions(invocation));
  },
};
