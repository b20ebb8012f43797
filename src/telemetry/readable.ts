import { printable } from "./printable.ts";

const colors: Record<string, string> = {
  trace: "\u001b[90m",
  debug: "\u001b[36m",
  info: "\u001b[32m",
  warn: "\u001b[33m",
  error: "\u001b[31m",
};
const faint = "\u001b[2m";
const plain = "\u001b[0m";

/**
 * One JSON log line as a line for a person: `09:12:01 info  message  key=value`, in local time. Characters that could
 * steer a terminal are escaped. A line that is not a JSON object stays as it is.
 */
export function readableLine(json: string, color: boolean): string {
  const entry = parsed(json);
  if (!entry) return json;
  const { level, time, msg, ...fields } = entry;
  const levelName = String(level);
  const pairs = Object.entries(fields).map(
    ([key, value]) => `${printable(key)}=${rendered(value)}`,
  );
  const message = printable(String(msg ?? ""));
  const clock = localTime(String(time));
  const name = levelName.padEnd(5);
  return color
    ? `${faint}${clock}${plain} ${colors[levelName] ?? ""}${name}${plain} ${message}${pairs.length > 0 ? `  ${faint}${pairs.join(" ")}${plain}` : ""}\n`
    : `${clock} ${name} ${message}${pairs.length > 0 ? `  ${pairs.join(" ")}` : ""}\n`;
}

function parsed(json: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value))
      : null;
  } catch {
    return null;
  }
}

function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  return [at.getHours(), at.getMinutes(), at.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}

function rendered(value: unknown): string {
  if (typeof value === "string") {
    return /^[^\s"=]+$/.test(value) ? printable(value) : printable(JSON.stringify(value));
  }
  return printable(JSON.stringify(value) ?? "undefined");
}
