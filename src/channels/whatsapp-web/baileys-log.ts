import type { ILogger } from "@whiskeysockets/baileys/lib/Utils/logger.js";
import type { Logger } from "../../telemetry/log.ts";

/**
 * Baileys logs stanzas, keys and JIDs. Only its words pass, at debug level, without any digits that could be a number;
 * of an error its message.
 */
export function baileysLog(log: Logger): ILogger {
  const pass = (level: string) => (fields: unknown, message?: string) => {
    const words = message ?? (typeof fields === "string" ? fields : "");
    const error = errorIn(fields);
    log.debug(
      { baileys: level, ...(error === undefined ? {} : { error: harmlessWords(error) }) },
      harmlessWords(words),
    );
  };
  const ignore = () => {};
  const logger: ILogger = {
    level: "warn",
    child: () => logger,
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: pass("warn"),
    error: pass("error"),
  };
  return logger;
}

function errorIn(fields: unknown): string | undefined {
  if (typeof fields !== "object" || fields === null) return undefined;
  if (fields instanceof Error) return fields.message;
  for (const name of ["err", "error", "trace"]) {
    const value: unknown = Reflect.get(fields, name);
    if (value instanceof Error) return value.message;
    if (typeof value === "string") return value.split("\n", 1)[0];
  }
  return undefined;
}

function harmlessWords(words: string): string {
  return words
    .slice(0, 300)
    .replace(/\S+@(s\.whatsapp\.net|lid|g\.us|hosted\S*)/g, "…")
    .replace(/\+?\d[\d .()-]{5,}\d/g, "…")
    .replace(/[A-Za-z0-9+/=_-]{24,}/g, "…");
}
