import { tmpdir } from "node:os";
import { errorCode } from "../runtime/error-code.ts";
import { columns } from "./text.ts";
import {
  CommandError,
  exitCode,
  UsageError,
  type Command,
  type Invocation,
  type Terminal,
} from "./command.ts";
import { chat } from "./demo/chat.ts";
import { summary } from "./demo/figures.ts";
import type { DemoPlatform } from "./demo/platform.ts";
import { playScript } from "./demo/script.ts";
import { DemoSession } from "./demo/session.ts";
import { untilInterrupted } from "./demo/until-interrupted.ts";

/** Platforms that the demo has a stand-in for; each is imported only when asked for. */
const platforms: Readonly<Record<string, () => Promise<DemoPlatform>>> = {
  cloud: async () => (await import("./demo/cloud.ts")).cloudPlatform(),
  wati: async () => (await import("./demo/wati.ts")).watiPlatform(),
};

export const command: Command = {
  usage: "demo [--once TEXT] [--channel NAME]",
  about:
    "Chats here with the real daemon and the echo agent, through a stand-in for the platform on this machine. Needs no account, no key and no network, and leaves nothing behind (after SIGKILL: its home in the temporary folder).",
  options: {
    once: { value: "TEXT", description: "Send one message, print the reply, end" },
    channel: {
      value: "NAME",
      description: `One of ${Object.keys(platforms).join(", ")} (default cloud)`,
    },
  },
  examples: [
    ["revka demo", "chat until Ctrl-D"],
    ['revka demo --once "hello"', "print the reply alone, for a script"],
  ],
  async run(invocation) {
    const name = invocation.options["channel"] ?? "cloud";
    const platform = platforms[String(name)];
    if (!platform) {
      const known = Object.keys(platforms).join(", ");
      throw new UsageError(`--channel ${String(name)}: the demo knows ${known}`);
    }
    const once = invocation.options["once"];
    if (typeof once === "string" && once.trim() === "") {
      throw new UsageError("--once: there is no text to send");
    }
    const interruption = new AbortController();
    // Heard to the very end: a second Ctrl-C must not make a failure of a clean end.
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(name, () => interruption.abort(name));
    }
    return await demo(invocation, await platform(), interruption);
  },
};

async function demo(
  invocation: Invocation,
  platform: DemoPlatform,
  interruption: AbortController,
): Promise<number> {
  const { terminal, logLevel, options, env } = invocation;
  const { signal } = interruption;
  const once = options["once"];
  let session: DemoSession;
  try {
    session = await DemoSession.start({
      platform,
      env,
      extraArgs: logLevel === undefined ? [] : ["--log-level", logLevel],
      onLine: (line) => (logLevel === undefined ? undefined : terminal.err(`${line}\n`)),
    });
  } catch (error) {
    throw new CommandError(whyNotStarted(error));
  }
  try {
    if (typeof once === "string") {
      const reply = await untilInterrupted(session.ask(once), signal);
      if (reply === null) return exitCode.failed;
      terminal.out(`${reply.texts.join("\n")}\n`);
      return exitCode.fine;
    }
    if (!signal.aborted) await converse(session, terminal, interruption);
    return exitCode.fine;
  } catch (error) {
    const log = session.daemon.lines.slice(-10).map((line) => `\n  ${line}`);
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the demo did not go through: ${message}${log.join("")}`);
  } finally {
    await session.stop();
  }
}

/** Throws where a message was not answered, or not once. */
async function converse(
  session: DemoSession,
  terminal: Terminal,
  interruption: AbortController,
): Promise<void> {
  const { interactive } = terminal;
  const { signal } = interruption;
  const say = interactive ? terminal.err : terminal.out;
  say(welcome(session, interactive));
  const lines = await chat(session, terminal, interruption);
  if (lines === 0 && !interactive && !signal.aborted) {
    await untilInterrupted(playScript(session, terminal), signal);
  }
  if (signal.reason === "SIGHUP" || signal.reason === "SIGTERM") return;
  const figures = session.figures();
  if (figures === null || figures.messages === 0) return;
  terminal.out(`\n${summary(figures)}\n`);
  const { messages, answers, right } = figures;
  if (!right) throw new Error(`${answers} answers for ${messages} messages`);
}

/** The one folder that the demo writes to is its own. */
function whyNotStarted(error: unknown): string {
  const code = errorCode(error) ?? "";
  if (/^(ENOSPC|EDQUOT|EROFS|EACCES|ENOENT)$/.test(code)) {
    return `the demo cannot write to ${tmpdir()} (${code}): mend it, or set TMPDIR to another folder`;
  }
  return error instanceof Error ? error.message : String(error);
}

function welcome({ platform, daemon, webhook, home }: DemoSession, interactive: boolean): string {
  const rows = [
    [platform.title, `${platform.url} (a stand-in on this machine)`],
    ["webhook", `${daemon.url}${platform.webhookPath} (${webhook})`],
    ["home", `${home} (removed at the end)`],
  ] as const;
  return [
    `Revka demo: the real daemon (process ${daemon.pid}) and an agent that echoes.`,
    ...columns(rows, Infinity),
    interactive ? "Write something; Ctrl-D ends.\n\n" : "\n",
  ].join("\n");
}
