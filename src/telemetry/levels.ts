// Apart from log.ts, so that a command line can be parsed without loading pino.
export const logLevels = ["trace", "debug", "info", "warn", "error", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];
