import { catalogue } from "./catalogue.ts";
import { CommandError, exitCode, UsageError, type Environment, type Terminal } from "./command.ts";
import { checkPositionals, globalOptions, logLevel, parseWords, splitCommand } from "./parse.ts";

/**
 * Runs the command that argv names and answers its exit code (see the contract's list). Never throws: what goes wrong
 * becomes one plain line, with the stack only at log level debug or trace.
 */
export async function run(
  argv: readonly string[],
  env: Environment,
  terminal: Terminal,
): Promise<number> {
  try {
    return await dispatch(argv, env, terminal);
  } catch (error) {
    return await explain(error, argv, env, terminal);
  }
}

async function dispatch(
  argv: readonly string[],
  env: Environment,
  terminal: Terminal,
): Promise<number> {
  if ((argv.includes("--version") || argv.includes("-V")) && splitCommand(argv).name === null) {
    const { versionLine } = await import("../runtime/build-info.ts");
    terminal.out(`${versionLine()}\n`);
    return exitCode.fine;
  }
  let { name, rest } = splitCommand(argv);
  if (name === "help") ({ name, rest } = { ...splitCommand(rest), rest: ["--help"] });
  if (name === null) {
    parseWords({ ...globalOptions, version: { description: "Show this build" } }, rest);
    const { overview } = await import("./help.ts");
    terminal.out(overview());
    return exitCode.fine;
  }
  const entry = catalogue.get(name);
  if (!entry) {
    // What stands before may be a misspelt option whose value was taken for the command.
    parseWords(globalOptions, argv.slice(0, argv.indexOf(name)));
    const { nearestName } = await import("../config/nearest.ts");
    const guess = name === "version" ? "--version" : quoted(nearestName(name, catalogue.keys()));
    throw new UsageError(`unknown command "${name}"${guess ? `; did you mean ${guess}?` : ""}`);
  }
  const command = await entry.load();
  const words = parseWords({ ...globalOptions, ...command.options }, rest);
  if (words.options["help"]) {
    const { commandHelp } = await import("./help.ts");
    terminal.out(commandHelp(command));
    return exitCode.fine;
  }
  checkPositionals(command, words.positionals);
  const { config, "log-level": level, ...options } = words.options;
  try {
    return await command.run({
      options,
      positionals: words.positionals,
      configFile: typeof config === "string" ? config : undefined,
      logLevel: logLevel(level, env),
      env,
      terminal,
    });
  } catch (error) {
    // Whoever asked for a document and nothing else parses what it gets, whatever the exit code.
    if (options["json"]) {
      terminal.out(`${JSON.stringify({ error: await cleanMessage(error) }, null, 2)}\n`);
    }
    throw error;
  }
}

function quoted(name: string | null): string | null {
  return name && `"${name}"`;
}

async function explain(
  error: unknown,
  argv: readonly string[],
  env: Environment,
  terminal: Terminal,
): Promise<number> {
  if (error instanceof UsageError) {
    const { name } = splitCommand(argv);
    const hint =
      name !== null && catalogue.has(name)
        ? `revka ${name} --help explains the command.`
        : "revka --help lists the commands.";
    terminal.err(`revka: ${error.message}\n${hint}\n`);
    return exitCode.usage;
  }
  if (error instanceof Error && error.name === "ConfigError") {
    const { ConfigError, formatProblem } = await import("../config/problems.ts");
    if (error instanceof ConfigError) {
      for (const warning of error.warnings) terminal.err(`warning: ${formatProblem(warning)}\n`);
      for (const problem of error.problems) terminal.err(`${formatProblem(problem)}\n`);
      const { instead } = await import("./elsewhere.ts");
      const elsewhere = instead(error.problems, env);
      if (elsewhere !== null) terminal.err(`${elsewhere}\n`);
      return exitCode.config;
    }
  }
  terminal.err(`revka: ${await cleanMessage(error)}\n`);
  if (error instanceof Error && !(error instanceof CommandError)) {
    terminal.err(
      debugging(argv, env)
        ? `${await clean(error.stack ?? "")}\n`
        : "This is unexpected. --log-level debug shows where it happened.\n",
    );
  }
  return exitCode.failed;
}

async function cleanMessage(error: unknown): Promise<string> {
  const message = await clean(error instanceof Error ? error.message : String(error));
  return message || "failed for a reason it did not give";
}

/** Without secrets, and safe for a terminal: it may repeat what a server said. */
async function clean(text: string): Promise<string> {
  const { createScrubber } = await import("../telemetry/scrub.ts");
  const { printableLines } = await import("../telemetry/printable.ts");
  return printableLines(createScrubber([])(text));
}

/** Read off the words themselves: the error may be about them. */
function debugging(argv: readonly string[], env: Environment): boolean {
  const flag = argv.findIndex((word) => word === "--log-level");
  const level = flag >= 0 ? argv[flag + 1] : argv.find((word) => word.startsWith("--log-level="));
  return /(debug|trace)$/i.test(level ?? env["REVKA_LOG"] ?? "");
}
