import type { Writable } from "node:stream";

/** What a log line may carry: ids, lengths, reasons. Never text of a message, a full number or a secret. */
export type LogFields = Record<string, unknown>;

export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** The one logger: the subset of pino's that the house uses. */
export interface Logger {
  trace(fields: LogFields, message: string): void;
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
  child(fields: LogFields): Logger;
}

export interface LogOptions {
  level: LogLevel;
  /** Readable lines for a person, JSON for a machine. */
  format: "text" | "json";
  destination: Writable;
  /** Values that must never appear, however they got into a line (tokens, keys). */
  secrets: string[];
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
