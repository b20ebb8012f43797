import { printable } from "../../telemetry/printable.ts";
import { wrap } from "../../telemetry/wrap.ts";
import { groups, type Finding, type Level } from "./probe.ts";

const marks: Record<Level, string> = { ok: "ok", info: "info", warning: "WARN", error: "ERROR" };
const colors: Record<Level, string> = {
  ok: "\u001b[32m",
  info: "\u001b[36m",
  warning: "\u001b[33m",
  error: "\u001b[31m",
};

/** The findings for a person, by group, at most 80 columns wide. */
export function renderFindings(findings: readonly Finding[], color: boolean): string {
  const lines: string[] = [];
  for (const group of groups) {
    const own = findings.filter((finding) => finding.group === group);
    if (own.length === 0) continue;
    lines.push(group, ...own.flatMap((finding) => findingLines(finding, color)), "");
  }
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  lines.push(`${plural(count("error"), "error")}, ${plural(count("warning"), "warning")}`);
  return `${lines.join("\n")}\n`;
}

function findingLines({ name, level, message, next }: Finding, color: boolean): string[] {
  const mark = marks[level].padEnd(6);
  const shown = color ? `${colors[level]}${mark}\u001b[0m` : mark;
  const [first = "", ...rest] = wrap(printable(`${name}: ${message}`), 72);
  const advice = next === null ? [] : wrap(printable(`-> ${next}`), 72);
  return [`  ${shown}${first}`, ...[...rest, ...advice].map((line) => `        ${line}`)];
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? "" : "s"}`;
}
