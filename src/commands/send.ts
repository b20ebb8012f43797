import type { ChannelName } from "../channels/message.ts";
import type { SendReport } from "../control/api.ts";
import { printable } from "../telemetry/printable.ts";
import { wrap } from "../telemetry/wrap.ts";
import { channelOption, chosenChannel } from "./channel-option.ts";
import { exitCode, UsageError, type Command, type Invocation } from "./command.ts";
import { askDaemon } from "./running-daemon.ts";
import { target } from "./target.ts";

const defaultWaitSecs = 15;
/** Characters that the daemon takes at once; it splits them. */
const longestText = 65_536;
/** Characters of standard input, of which blanks at the end do not count. */
const longestInput = 1_048_576;

export const command: Command = {
  usage: "send [--to TARGET] TEXT",
  about:
    "Sends a text through the running daemon. TARGET is an E.164 number, a BSUID or a group (group:ID, or …@g.us for WhatsApp Web); without --to the channel's notification_target is meant. TEXT may be - to read it from standard input; it is read as Markdown, as an agent's answer is, so **bold** is bold and *this* in italics. Exits 0 once it is sent or safely queued.",
  options: {
    to: { value: "TARGET", description: "Who receives it" },
    channel: channelOption,
    wait: {
      value: "SECONDS",
      description: `How long to wait for the outcome (default ${defaultWaitSecs}; 0 only queues)`,
    },
    json: { description: "One JSON document on standard output" },
  },
  positionals: [1, 1],
  examples: [
    ['revka send --to +15551234567 "The kettle is on."', "one message, sent now"],
    ["uptime | revka send -", "a notification from a script"],
  ],
  async run(invocation) {
    const { options, positionals, terminal } = invocation;
    const chosen = chosenChannel(options["channel"]);
    const waitMs = waitOf(options["wait"]);
    const text = await messageText(positionals[0] ?? "", invocation);
    const named = options["to"];
    const to =
      typeof named === "string"
        ? { to: target(named), ...chosen }
        : await notifiedTarget(invocation, chosen.channel);
    const report = await askDaemon(
      invocation,
      (daemon) => daemon.send({ ...to, text, wait_ms: waitMs }),
      waitMs + 10_000,
    );
    if (options["json"]) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
    else describe(report, invocation);
    return report.deliveries.some(({ state }) => state === "failed")
      ? exitCode.failed
      : exitCode.fine;
  },
};

function waitOf(option: string | true | undefined): number {
  if (option === undefined) return defaultWaitSecs * 1000;
  const seconds = Number(option);
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > 300) {
    throw new UsageError(`--wait "${option}" is not a number of seconds from 0 to 300`);
  }
  return seconds * 1000;
}

async function messageText(word: string, { terminal }: Invocation): Promise<string> {
  const text = word === "-" ? (await beginning(terminal.input)).replace(/\s+$/, "") : word;
  if (text.trim() === "") throw new UsageError("there is no text to send");
  if (text.length > longestText) {
    const length = text.length > longestInput ? "too many" : text.length;
    throw new UsageError(`the text has ${length} characters, at most ${longestText} go`);
  }
  return text;
}

/** All of a text that may be sent; of a longer one, which may have no end, enough to know. */
async function beginning(input: NodeJS.ReadableStream): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of input) {
    text += typeof piece === "string" ? piece : decoder.decode(piece, { stream: true });
    if (text.length > longestInput) return text;
  }
  return text + decoder.decode();
}

/** The `notification_target` of this channel, or of the only one that has one, which is the channel that is meant. */
async function notifiedTarget(
  invocation: Invocation,
  only: ChannelName | undefined,
): Promise<{ to: string; channel: ChannelName }> {
  const { load } = await import("./load.ts");
  const { channels_config } = (await load(invocation)).config;
  const targets = (["whatsapp", "wati"] as const).flatMap((channel) => {
    const to = channels_config[channel]?.notification_target;
    return to === undefined || (only ?? channel) !== channel ? [] : [{ to, channel }];
  });
  const [target] = targets;
  if (target === undefined) {
    throw new UsageError(
      "say to whom: --to TARGET, or set notification_target of the channel in the config",
    );
  }
  if (targets.length > 1) {
    throw new UsageError("both channels have a notification_target: add --channel, or --to TARGET");
  }
  return target;
}

function describe(report: SendReport, { terminal }: Invocation): void {
  const page = (text: string) => `${wrap(printable(text), 80).join("\n")}\n`;
  if (report.window_warning) terminal.err(page(`warning: ${report.window_warning}`));
  for (const { id, state, code, hint } of report.deliveries) {
    if (state === "sent") terminal.out(`Sent (${id}).\n`);
    else if (state === "failed") {
      const why = [code, hint].filter((part) => part !== null).join(": ");
      terminal.err(`${page(`Not sent: ${why}`)}Try again with: revka redeliver ${id}\n`);
    } else if (state === "sending") {
      terminal.out(
        page(
          `Not answered yet (${id}): the platform may have it; without word of it, it is sent again.`,
        ),
      );
    } else {
      const why = hint === null ? "" : ` It waits because: ${hint}`;
      terminal.out(page(`Queued (${id}); the daemon sends it as soon as it can.${why}`));
    }
  }
}
