import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { buildInfo } from "../runtime/build-info.ts";
import { errorCode } from "../runtime/error-code.ts";
import { fileTrouble } from "../runtime/file-trouble.ts";
import { shellQuote } from "../runtime/shell-quote.ts";
import { CommandError, exitCode, type Command, type Invocation } from "./command.ts";
import { PromptEnded, terminalPrompt } from "./init/prompt.ts";
import { askAll, initOptions } from "./init/questions.ts";
import { answerSource } from "./init/source.ts";
import { configText, type Answers } from "./init/template.ts";
import { ConfigError } from "../config/problems.ts";
import { wrap } from "../telemetry/wrap.ts";
import { load } from "./load.ts";
import { homeOf, paths } from "./running-daemon.ts";

export const command: Command = {
  usage: "init [OPTIONS]",
  about:
    "Asks what it needs to know and writes a commented config file that only you can read. It never overwrites one. Every question has a flag, for scripts; a flag's value @FILE is read from FILE, which keeps secrets out of the shell's history.",
  options: initOptions,
  examples: [
    ["revka init", "answer a few questions"],
    [
      "revka init --channel web --agent echo --allow +15551234567",
      "your own number, echoing one person, to try it out",
    ],
    [
      "revka init --channel cloud --access-token @token.txt --allow +15551234567 …",
      "in a script; it says which flags are missing",
    ],
  ],
  async run(invocation) {
    const { terminal } = invocation;
    const { config } = paths(invocation);
    if (existsSync(config)) throw new CommandError(alreadyThere(config));
    const answers = await answersOf(invocation);
    write(config, configText(answers));
    await check(config, invocation);
    const named = invocation.configFile === undefined ? "" : ` --config ${shellQuote(config)}`;
    terminal.out(`Wrote ${config}\nOnly you can read it.\n${nextSteps(answers, config, named)}`);
    return exitCode.fine;
  },
};

async function answersOf(invocation: Invocation): Promise<Answers> {
  const { options, terminal } = invocation;
  const prompt = terminal.interactive ? terminalPrompt(terminal) : null;
  try {
    return await askAll(answerSource(options, prompt), writtenHome(invocation), (sentence) =>
      terminal.err(`${wrap(sentence, 80).join("\n")}\n`),
    );
  } catch (error) {
    throw error instanceof PromptEnded ? new CommandError("stopped; nothing was written") : error;
  } finally {
    prompt?.close();
  }
}

/** The home as a config names it: with `~` where that is what a person would write. */
function writtenHome(invocation: Invocation): string {
  const { home } = paths(invocation);
  return home === join(homeOf(invocation.env), ".revka") ? "~/.revka" : resolve(home);
}

function write(file: string, text: string): void {
  const folder = dirname(file);
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw unwritable(
      folder,
      errorCode(error) === "EEXIST" ? "it is no folder" : fileTrouble(error),
    );
  }
  try {
    // "wx": a file that appeared meanwhile is not overwritten either.
    const descriptor = openSync(file, "wx", 0o600);
    try {
      writeFileSync(descriptor, text);
    } catch (error) {
      // A half of it would keep the next try from writing all of it.
      rmSync(file);
      throw error;
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    if (errorCode(error) === "EEXIST") throw new CommandError(alreadyThere(file));
    throw unwritable(file, fileTrouble(error));
  }
}

function unwritable(path: string, reason: string): CommandError {
  return new CommandError(
    `${path} cannot be written (${reason}); choose another place with --config FILE or REVKA_HOME`,
  );
}

/** What was just written must load; otherwise it goes away again and the problem is told. */
async function check(file: string, invocation: Invocation): Promise<void> {
  try {
    await load({ configFile: file, env: invocation.env });
  } catch (error) {
    rmSync(file);
    if (!(error instanceof ConfigError)) throw error;
    // Lines of a file that is not there tell nobody anything.
    throw new ConfigError(
      error.problems.map((problem) => ({ ...problem, file: "nothing written", line: null })),
    );
  }
}

function alreadyThere(file: string): string {
  return `${file} exists and is not overwritten; edit it, move it away, or write another with --config FILE`;
}

function nextSteps(
  { channel, allowedNumbers, agent, publicUrl }: Answers,
  config: string,
  named: string,
): string {
  const host = publicUrl?.replace(/\/+$/, "") ?? "https://YOUR-HOST";
  const steps: string[] = [];
  if (allowedNumbers.length === 0) {
    steps.push("allowed_numbers is empty, so nobody is answered yet: add your number.");
  }
  if (channel.kind === "cloud") {
    steps.push(
      `In the Meta app, set the webhook's callback URL to ${host}/whatsapp and its verify token to verify_token in ${config}; subscribe to the field "messages".`,
    );
    if (channel.appSecret === null) {
      steps.push("Set app_secret before it faces the internet: unsigned webhooks can be forged.");
    }
  }
  if (channel.kind === "wati") {
    steps.push(
      `In WATI, set the webhook to ${host}/wati?secret=… with webhook_secret of the file.`,
    );
  }
  if (channel.kind === "web") {
    steps.push(
      buildInfo.variant === "default"
        ? "This build has no WhatsApp Web: use the whatsapp-web variant to run it."
        : `revka daemon shows a ${channel.pairPhone ? "code to enter" : "QR code to scan"} in WhatsApp: Settings, Linked devices, Link a device.`,
    );
  }
  if (agent.kind === "model") {
    steps.push("Give the model its system_prompt under [agent].");
  }
  const lines = steps.flatMap((step) => wrap(step, 80));
  return [...lines, "", `Next: revka doctor${named}, then revka daemon${named}`, ""].join("\n");
}
