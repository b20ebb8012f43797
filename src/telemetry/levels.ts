// Apart from log.ts, so that a command line can be parsed without loading the logger. From the wordiest on.
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
