import { wrap } from "../telemetry/wrap.ts";

/** Two columns, the first as wide as its widest entry, the second wrapped so that a line fits `width`. */
export function columns(rows: readonly (readonly [string, string])[], width = 80): string[] {
  const left = Math.min(28, Math.max(...rows.map(([name]) => name.length)));
  const indent = " ".repeat(left + 4);
  return rows.flatMap(([name, meaning]) => {
    const wrapped = wrap(meaning, width - indent.length);
    if (name.length > left) return [`  ${name}`, ...wrapped.map((line) => indent + line)];
    const [first = "", ...rest] = wrapped;
    return [`  ${name.padEnd(left)}  ${first}`.trimEnd(), ...rest.map((line) => indent + line)];
  });
}
