import { UsageError, type OptionSpec } from "./command.ts";
import type { ChannelName } from "../channels/message.ts";

export const channelOption: OptionSpec = {
  value: "NAME",
  description: "whatsapp or wati (default: the only one configured)",
};

/** `{ channel }` where the option is given, else nothing. Throws {@link UsageError} for another name. */
export function chosenChannel(name: string | true | undefined): { channel?: ChannelName } {
  if (name === undefined) return {};
  if (name === "whatsapp" || name === "wati") return { channel: name };
  throw new UsageError(`--channel "${name}" is neither whatsapp nor wati`);
}
