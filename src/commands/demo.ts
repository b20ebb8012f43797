import { tmpdir } from "node:os";
import { columns } from "./text.ts";
import { CommandError, exitCode, UsageError, type Command, type Invocation } from "./command.ts";
import { chat } from "./demo/chat.ts";
import type { DemoPlatform } from "./demo/platform.ts";
import { playScript } from "./demo/script.ts";
import { DemoSession } from "./demo/session.ts";

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
    const interrupted = new AbortController();
    const interrupt = () => interrupted.abort();
    process.on("SIGINT", interrupt);
    process.on("SIGTERM", interrupt);
    try {
      return await demo(invocation, await platform(), interrupted.signal);
    } finally {
      process.removeListener("SIGINT", interrupt);
      process.removeListener("SIGTERM", interrupt);
    }
  },
};

async function demo(
  invocation: Invocation,
  platform: DemoPlatform,
  signal: AbortSignal,
): Promise<number> {
  const { terminal, logLevel, options, env } = invocation;
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
    const say = terminal.interactive ? terminal.err : terminal.out;
    say(welcome(session, terminal.interactive));
    const lines = await untilInterrupted(chat(session, terminal, signal), signal);
    if (lines === 0 && !terminal.interactive) {
      await untilInterrupted(playScript(session, terminal), signal);
    }
    if (terminal.interactive) terminal.err("\n");
    return exitCode.fine;
  } catch (error) {
    const log = session.daemon.lines.slice(-10).map((line) => `\n  ${line}`);
    const message = error instanceof Error ? error.message : String(error);
    throw new CommandError(`the demo did not go through: ${message}${log.join("")}`);
  } finally {
    await session.stop();
  }
}

/** The one folder that the demo writes to is its own. */
function whyNotStarted(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
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

/** The result, or null as soon as the signal aborts. */
async function untilInterrupted<T>(working: Promise<T>, signal: AbortSignal): Promise<T | null> {
  if (signal.aborted) return null;
  const stopped = Promise.withResolvers<null>();
  const stop = () => stopped.resolve(null);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await Promise.race([working, stopped.promise]);
  } finally {
    signal.removeEventListener("abort", stop);
    working.catch(() => {});
  }
}
