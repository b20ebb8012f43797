import { findFences } from "./fences.ts";
import { formatInline } from "./inline.ts";

/**
 * An agent's Markdown in WhatsApp's own marks: bold becomes `*bold*`, italic `_italic_`, strikethrough `~gone~`, a
 * heading a bold line, `[text](address)` becomes `text (address)`. Code is left as it is, lists and quotes too, for
 * WhatsApp shows them; a table keeps its rows and loses the line of dashes. Text without Markdown comes out unchanged.
 * Linear in the length of the text. Source of the marks: WhatsApp help centre, "How to format your messages".
 */
export function whatsappFormat(markdown: string): string {
  let out = "";
  let at = 0;
  for (const fence of findFences(markdown)) {
    out += formatLines(markdown.slice(at, fence.start));
    out += fence.mark.startsWith("~")
      ? withBackticks(markdown.slice(fence.start, fence.end), fence.closed)
      : markdown.slice(fence.start, fence.end);
    at = fence.end;
  }
  return out + formatLines(markdown.slice(at));
}

/** WhatsApp knows no tilde fence. */
function withBackticks(block: string, closed: boolean): string {
  const opened = block.replace(/~{3,}/, "```");
  if (!closed) return opened;
  // In the last line alone: within all of it, each run of tildes would be tried from each of its ends.
  const last = opened.lastIndexOf("\n") + 1;
  return opened.slice(0, last) + opened.slice(last).replace(/~{3,}[ \t\r]*$/, "```");
}

function formatLines(text: string): string {
  if (text === "") return text;
  const lines = text.split("\n");
  const kept: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (isTableRule(line) && lines[index - 1]?.includes("|")) continue;
    kept.push(formatLine(line));
  }
  return kept.join("\n");
}

/** `|---|:--:|`: WhatsApp has no tables, and this line says nothing to a reader. */
function isTableRule(line: string): boolean {
  const rule = line.trim();
  return /^[|:\- \t]+$/.test(rule) && rule.includes("|") && rule.includes("---");
}

function formatLine(line: string): string {
  const [, quote = "", rest = ""] = /^((?: {0,3}> ?)*)([^]*)$/.exec(line) ?? [];
  const heading = /^ {0,3}#{1,6}[ \t]+(\S[^]*)$/.exec(rest)?.[1];
  if (heading === undefined) return quote + formatInline(rest);
  const title = withoutClosingHashes(heading);
  return title === "" ? line : `${quote}*${formatInline(title, { bold: "" })}*`;
}

/** `## Title ##`: the second run is decoration (CommonMark 0.31, section 4.2). */
function withoutClosingHashes(heading: string): string {
  const trimmed = heading.trimEnd();
  let end = trimmed.length;
  while (end > 0 && trimmed.charAt(end - 1) === "#") end--;
  const closes = end < trimmed.length && (end === 0 || /[ \t]/.test(trimmed.charAt(end - 1)));
  return closes ? trimmed.slice(0, end).trimEnd() : trimmed;
}
