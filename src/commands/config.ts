import { exitCode, UsageError, type Command } from "./command.ts";

export const command: Command = {
  usage: "config schema",
  about:
    "Prints the JSON Schema (draft 2020-12) of the config file, for editors and checkers. Every key comes with its meaning and default.",
  options: {},
  positionals: [1, 1],
  examples: [
    ["revka config schema > revka.schema.json", "then point your editor's TOML plugin at it"],
  ],
  async run({ positionals, terminal }) {
    if (positionals[0] !== "schema") {
      throw new UsageError(`config knows only "schema": revka config schema`);
    }
    const { exportSchema } = await import("../config/schema-export.ts");
    terminal.out(`${JSON.stringify(exportSchema(), null, 2)}\n`);
    return exitCode.fine;
  },
};
