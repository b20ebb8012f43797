import type { ChannelReport, StatusReport } from "../control/api.ts";
import { exitCode, UsageError, type Command, type Invocation } from "./command.ts";
import { askDaemon } from "./running-daemon.ts";

const pollMs = 250;

export const command: Command = {
  usage: "relink [--wait SECONDS]",
  about:
    "Forgets the WhatsApp Web session and links anew: shows the QR or pair code and waits until the phone has taken it. The old session file is kept beside its place.",
  options: {
    wait: {
      value: "SECONDS",
      description: "How long to wait for the phone (default 180 on a terminal, else 0)",
    },
  },
  examples: [["revka relink", "then scan the code in WhatsApp: Settings, Linked devices"]],
  async run(invocation) {
    const { options, terminal } = invocation;
    const seconds = Number(options["wait"] ?? (terminal.interactive ? 180 : 0));
    if (!Number.isInteger(seconds) || seconds < 0) {
      throw new UsageError(`--wait "${options["wait"]}" is not a whole number of seconds`);
    }
    await askDaemon(invocation, (daemon) => daemon.relink());
    if (seconds === 0) {
      terminal.out("The session is forgotten; `revka status` shows the code to link with.\n");
      return exitCode.fine;
    }
    return await follow(invocation, seconds);
  },
};

/** Shows every new code until the phone took one. */
async function follow(invocation: Invocation, seconds: number): Promise<number> {
  const { terminal } = invocation;
  let shown = "";
  for (let polls = 0; polls < (seconds * 1000) / pollMs; polls++) {
    const web = webChannel(await askDaemon(invocation, (daemon) => daemon.status()));
    if (web?.state === "ready") {
      terminal.out(`Linked${web.linked_as ? ` as ${web.linked_as}` : ""}.\n`);
      return exitCode.fine;
    }
    const code = web?.linking?.qr ?? web?.linking?.pair_code ?? "";
    if (code !== "" && code !== shown) {
      shown = code;
      if (web?.linking?.qr) {
        const { drawQr } = await import("./qr.ts");
        terminal.out("\nScan this in WhatsApp: Settings, Linked devices, Link a device.\n");
        terminal.out(await drawQr(code, terminal.color));
      } else {
        terminal.out(
          `\nEnter ${code} in WhatsApp: Settings, Linked devices, Link with phone number.\n`,
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  terminal.err("The phone took no code in time; `revka status` shows the current one.\n");
  return exitCode.failed;
}

function webChannel(report: StatusReport): ChannelReport | undefined {
  return report.channels.find(({ backend }) => backend === "web");
}
