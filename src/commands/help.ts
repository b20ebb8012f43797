import { buildInfo } from "../runtime/build-info.ts";
import { wrap } from "../telemetry/wrap.ts";
import { catalogue } from "./catalogue.ts";
import type { Command, OptionSpec } from "./command.ts";
import { globalOptions } from "./parse.ts";
import { columns } from "./text.ts";

/** What `revka --help` prints, at most 80 columns wide. */
export function overview(): string {
  return [
    `Revka ${buildInfo.version}: connects WhatsApp to an AI agent.`,
    "",
    "Usage: revka COMMAND [OPTIONS]",
    "",
    "Commands:",
    ...columns([...catalogue].map(([name, { summary }]) => [name, summary])),
    "",
    "Options of every command:",
    ...optionLines(globalOptions),
    "",
    "Start here:",
    ...columns([
      ["revka demo", "see it work, without account, key or network"],
      ["revka init", "write a config for your own number"],
      ["revka doctor", "check it"],
      ["revka daemon", "run it"],
    ]),
    "",
    "`revka COMMAND --help` explains a command, `revka --version` this build.",
    "",
  ].join("\n");
}

/** What `revka COMMAND --help` prints, at most 80 columns wide. */
export function commandHelp(command: Command): string {
  const lines = [`Usage: revka ${command.usage}`, "", ...wrap(command.about, 80)];
  if (Object.keys(command.options).length > 0) {
    lines.push("", "Options:", ...optionLines(command.options));
  }
  lines.push("", "Options of every command:", ...optionLines(globalOptions));
  if (command.examples.length > 0) {
    lines.push("", "Examples:");
    for (const [example, meaning] of command.examples) {
      lines.push(`  ${example}`, ...wrap(meaning, 74).map((line) => `      ${line}`));
    }
  }
  return `${lines.join("\n")}\n`;
}

function optionLines(options: Readonly<Record<string, OptionSpec>>): string[] {
  return columns(
    Object.entries(options).map(([name, option]) => [
      option.value === undefined ? `--${name}` : `--${name} ${option.value}`,
      option.description,
    ]),
  );
}
