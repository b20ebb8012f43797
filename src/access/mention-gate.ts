import { RE2JS, RE2JSException, RE2JSSyntaxException } from "re2js";
import { openGate, type GateAnswer, type MentionGate, type RejectedPattern } from "./gate.ts";
import { estimateInstructions } from "./pattern-size.ts";

/** The limit that the specification names for a compiled pattern. */
const maxCompiledBytes = 64 * 1024;

/** What one instruction of the compiled program is counted as: an object of four fields and its place in the list. */
const bytesPerInstruction = 40;

/** Characters of a pattern's text; character classes cost text, not instructions. */
const maxPatternLength = 8 * 1024;

/**
 * Characters that the search for further fragments of one text may run over. One search is linear in the text, all
 * matches of one text need not be; what lies beyond stays in the text.
 */
const maxScannedCharacters = 256 * 1024;

/**
 * Compiles RE2 patterns, case-insensitive and over Unicode code points (`\w`, `\d`, `\b` are ASCII, as RE2 has them).
 * Blank entries count as absent. A pattern that does not parse or compiles to more than {@link maxCompiledBytes} is
 * rejected; the others stay in force.
 */
export function compileMentionGate(patterns: readonly string[]): MentionGate {
  const compiled: RE2JS[] = [];
  const rejected: RejectedPattern[] = [];
  let given = 0;
  for (const [index, entry] of patterns.entries()) {
    const pattern = entry.trim();
    if (pattern === "") continue;
    given++;
    const result = compilePattern(pattern);
    if (typeof result === "string") {
      rejected.push({ index, message: `pattern ${quote(pattern)} is ignored: ${result}` });
    } else compiled.push(result);
  }
  if (given === 0) return openGate;
  if (compiled.length === 0) {
    return {
      state: "closed",
      rejected,
      apply: () => ({ passes: false, reason: "mention_missing" }),
    };
  }
  return { state: "guarded", rejected, apply: (text) => applyPatterns(compiled, text) };
}

/** The compiled pattern, or in words why there is none. */
function compilePattern(pattern: string): RE2JS | string {
  const tooLarge = `it compiles to more than ${maxCompiledBytes / 1024} KiB`;
  if (pattern.length > maxPatternLength) return `it is longer than ${maxPatternLength} characters`;
  if (estimateInstructions(pattern) * bytesPerInstruction > 16 * maxCompiledBytes) return tooLarge;
  try {
    const compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    return compiled.programSize() * bytesPerInstruction > maxCompiledBytes ? tooLarge : compiled;
  } catch (error) {
    if (error instanceof RE2JSSyntaxException) return whyMalformed(error, pattern);
    if (error instanceof RE2JSException) return error.message;
    if (error instanceof RangeError) return tooLarge;
    throw error;
  }
}

/** In the library's words, and about which part of the pattern: it puts the flag for upper and lower case before it. */
function whyMalformed(error: RE2JSSyntaxException, pattern: string): string {
  const part = error.getPattern()?.replace(/^\(\?i\)/, "") ?? pattern;
  return part === pattern ? error.getDescription() : `${error.getDescription()}: ${quote(part)}`;
}

function applyPatterns(patterns: RE2JS[], text: string): GateAnswer {
  if (!patterns.some((pattern) => pattern.matcher(text).find())) {
    return { passes: false, reason: "mention_missing" };
  }
  let rest = text;
  for (const pattern of patterns) rest = strip(pattern, rest);
  rest = rest.replace(/\s+/g, " ").trim();
  return rest === "" ? { passes: false, reason: "mention_only" } : { passes: true, text: rest };
}

/** The text with a space in place of each match that is not empty. */
function strip(pattern: RE2JS, text: string): string {
  const matcher = pattern.matcher(text);
  let kept = "";
  let position = 0;
  let scanned = 0;
  while (scanned <= maxScannedCharacters && matcher.find()) {
    scanned += text.length - position;
    if (matcher.end() === matcher.start()) continue;
    kept += `${text.slice(position, matcher.start())} `;
    position = matcher.end();
  }
  return kept + text.slice(position);
}

function quote(pattern: string): string {
  return JSON.stringify(pattern.length > 60 ? `${pattern.slice(0, 60)}…` : pattern);
}
