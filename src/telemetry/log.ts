import pino from "pino/browser.js";
import type { Logger as PinoLogger } from "pino";
import { isInert, plainFields } from "./fields.ts";
import { logLevels, type LogLevel } from "./levels.ts";
import { readableLine } from "./readable.ts";
import { createScrubber, maskNumbers } from "./scrub.ts";

export { logLevels, type LogLevel };

/** What a log line may carry: ids, lengths, reasons. Never text of a message, a full number or a secret. */
export type LogFields = Record<string, unknown>;

/** The one logger: the subset of pino's that the house uses. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

/** Where finished lines go, each with its line feed. */
export interface LogDestination {
  write(line: string): unknown;
  /** Writes what it holds back; called after every warning and error. */
  flush?(): void;
  /** Takes who is told, once lines go out again, how many did not. */
  onLeftOut?(listener: (lines: number) => void): void;
}

export interface LogOptions {
  level: LogLevel;
  /** Readable lines for a person, JSON for a machine. */
  format: "text" | "json";
  destination: LogDestination;
  /** Values that must never appear, however they got into a line (tokens, keys). */
  secrets: string[];
  /** Colours in readable lines; off by default. */
  color?: boolean;
}

/** A logger that says nothing, for tests and commands. */
export const silentLog: Logger = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLog,
};

/**
 * Builds the one logger. Every line passes two sieves: its fields (credentials by key, phone numbers, long texts), and
 * the finished line (each of `secrets` in every usual spelling), so that no way of getting into a line by-passes both.
 * Nothing is lost at exit with `stderrDestination`.
 */
export function createLogger(options: LogOptions): Logger {
  const scrub = createScrubber(options.secrets);
  const color = options.color === true;
  const stamp = timeStamper();
  const sink = pino({
    level: options.level,
    timestamp: false,
    browser: {
      asObject: true,
      formatters: { level: (label) => ({ level: label, time: stamp() }) },
      write(fields) {
        const line = JSON.stringify(fields);
        const sieved = scrub(line);
        // A secret of digits may stand in a number, which is none without them.
        const whole = sieved === line || isJson(sieved);
        const clean = `${whole ? sieved : scrub(JSON.stringify(fields, figureAsText))}\n`;
        options.destination.write(
          options.format === "json" ? clean : scrub(readableLine(clean, color)),
        );
      },
    },
  });
  options.destination.onLeftOut?.((lines) =>
    sink.warn({ lines }, "lines of the log were left out: they could not be written in time"),
  );
  const withStack = sink.isLevelEnabled("debug");
  const wrap = (target: PinoLogger): Logger => {
    const at = (level: Exclude<LogLevel, "silent">) => (fields: LogFields, message: string) => {
      if (!target.isLevelEnabled(level)) return;
      const said = isInert(message) ? message : maskNumbers(scrub(message));
      target[level](plainFields(fields, scrub, withStack), said);
      if (level === "warn" || level === "error") options.destination.flush?.();
    };
    return {
      trace: at("trace"),
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      child: (fields) => wrap(target.child(plainFields(fields, scrub, withStack))),
    };
  };
  return wrap(sink);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function figureAsText(_: string, value: unknown): unknown {
  return typeof value === "number" ? `${value}` : value;
}

/** The time in ISO 8601; made once for all lines of a millisecond. */
function timeStamper(): () => string {
  let at = NaN;
  let stamp = "";
  return () => {
    const now = Date.now();
    if (now !== at) {
      at = now;
      stamp = new Date(now).toISOString();
    }
    return stamp;
  };
}

/**
 * How the daemon logs unless told otherwise: readable on a terminal, JSON lines elsewhere (REVKA_LOG_FORMAT = "text" or
 * "json" decides for good), and in colour only on a terminal without NO_COLOR. `problem` says where REVKA_LOG_FORMAT is
 * neither.
 */
export function logDefaults(
  env: Readonly<Record<string, string | undefined>>,
  isTerminal: boolean,
): Pick<Required<LogOptions>, "format" | "color"> & { problem: string | null } {
  const wanted = env["REVKA_LOG_FORMAT"]?.trim().toLowerCase();
  const known = wanted === "text" || wanted === "json";
  const format = known ? wanted : isTerminal ? "text" : "json";
  const problem =
    known || !wanted
      ? null
      : `environment: REVKA_LOG_FORMAT: expected "text" or "json"; ${format} it is, as without it`;
  return { format, color: isTerminal && !env["NO_COLOR"], problem };
}
