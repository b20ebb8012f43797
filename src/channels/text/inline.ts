import { findLinks, type Link } from "./links.ts";

/** What WhatsApp reads around a word: one sign each, and none of its own for nothing. */
const marks = { bold: "*", italic: "_", strike: "~" };

type Piece = { text: string } | Run;

/** A run of `*`, `_` or `~` that may open or close emphasis. */
interface Run {
  sign: string;
  /** Signs not yet matched. */
  left: number;
  opens: boolean;
  closes: boolean;
  /** WhatsApp's marks in its place, the outermost first while it opens. */
  out: string;
}

/**
 * Emphasis, links and images of one line. Code spans, addresses and escaped signs are left alone. Unlike CommonMark,
 * a sign between two Latin letters or digits is never a mark (`2**3**4`, `a*b*c`), for WhatsApp would not take it as
 * one. `bold` overrides that mark, for a line that is bold already.
 */
export function formatInline(line: string, { bold = marks.bold }: { bold?: string } = {}): string {
  if (!/[*_~[<`]/.test(line)) return line;
  const pieces = split(line);
  pair(
    pieces.filter((piece) => "sign" in piece),
    bold,
  );
  return pieces
    .map((piece) => {
      if ("text" in piece) return piece.text;
      const rest = piece.sign.repeat(piece.left);
      return piece.opens ? rest + piece.out : piece.out + rest;
    })
    .join("");
}

function split(line: string): Piece[] {
  const pieces: Piece[] = [];
  const links = findLinks(line);
  const spans = findSpans(line);
  const ends = new Map<number, Link>();
  let plain = "";
  const flush = () => {
    if (plain) pieces.push({ text: plain });
    plain = "";
  };
  for (let at = 0; at < line.length;) {
    const sign = line.charAt(at);
    const span = spans.get(at);
    const ended = ends.get(at);
    const link = links.get(at);
    if (span !== undefined) {
      plain += line.slice(at, span);
      at = span;
    } else if (ended) {
      plain += ended.suffix;
      at = ended.end;
    } else if (link) {
      ends.set(link.labelEnd, link);
      at = link.labelStart;
    } else if (sign === "\\") {
      plain += line.slice(at, at + 2);
      at += 2;
    } else if (
      sign === "<" &&
      /^<(?:https?:\/\/|mailto:)[^\s<>]*>/i.test(line.slice(at, at + 2048))
    ) {
      const end = line.indexOf(">", at);
      plain += line.slice(at + 1, end).replace(/^mailto:/i, "");
      at = end + 1;
    } else if (sign === "h" && startsAddress(line, at)) {
      const end = addressEnd(line, at);
      plain += line.slice(at, end);
      at = end;
    } else if (sign === "*" || sign === "_" || sign === "~") {
      const end = runEnd(line, at);
      const run = readRun(line, at, end);
      if (run) {
        flush();
        pieces.push(run);
      } else {
        plain += line.slice(at, end);
      }
      at = end;
    } else {
      plain += sign;
      at++;
    }
  }
  flush();
  return pieces;
}

function runEnd(line: string, at: number): number {
  let end = at;
  while (line.charAt(end) === line.charAt(at)) end++;
  return end;
}

/** null where the run is only text: the wrong length, or no word at either side. */
function readRun(line: string, at: number, end: number): Run | null {
  const sign = line.charAt(at);
  const length = end - at;
  const possible =
    sign === "*" ? length <= 3 : sign === "_" ? length === 2 || length === 3 : length === 2;
  if (!possible) return null;
  const before = line.charAt(at - 1);
  const after = line.charAt(end);
  const inWord = sign === "_" ? /[\p{L}\p{N}]/u : /[A-Za-z0-9]/;
  if (inWord.test(before) && inWord.test(after)) return null;
  const opens = after !== "" && !/[\s)\]}.,;:!?]/.test(after);
  const closes = before !== "" && !/[\s([{]/.test(before);
  return opens || closes ? { sign, left: length, opens, closes, out: "" } : null;
}

/** Matches closing runs with the nearest opening ones of their sign. Every run is pushed and popped once at most. */
function pair(runs: Run[], bold: string): void {
  const open: Run[] = [];
  const count: Record<string, number> = { "*": 0, _: 0, "~": 0 };
  const forget = () => {
    const run = open.pop();
    if (run) count[run.sign] = (count[run.sign] ?? 0) - 1;
  };
  for (const run of runs) {
    while (run.closes && run.left > 0 && (count[run.sign] ?? 0) > 0) {
      while (open.at(-1)?.sign !== run.sign) forget();
      const opener = open.at(-1);
      if (!opener) break;
      const width = Math.min(opener.left, run.left) >= 2 ? 2 : 1;
      if (run.sign !== "*" && width === 1) {
        forget();
        continue;
      }
      const mark = run.sign === "~" ? marks.strike : width === 2 ? bold : marks.italic;
      opener.out = mark + opener.out;
      run.out += mark;
      opener.left -= width;
      run.left -= width;
      run.opens = false;
      if (opener.left === 0) forget();
    }
    if (run.opens && run.left > 0) {
      open.push(run);
      count[run.sign] = (count[run.sign] ?? 0) + 1;
    }
  }
}

/** Code spans: offset of the first backtick → offset after the last (CommonMark 0.31, section 6.1). */
function findSpans(line: string): Map<number, number> {
  const runs: { at: number; end: number }[] = [];
  for (const match of line.matchAll(/`+/g)) {
    runs.push({ at: match.index, end: match.index + match[0].length });
  }
  const nextOfLength = new Map<number, number>();
  const closedBy: (number | undefined)[] = [];
  for (let i = runs.length - 1; i >= 0; i--) {
    const run = runs[i];
    if (!run) continue;
    closedBy[i] = nextOfLength.get(run.end - run.at);
    nextOfLength.set(run.end - run.at, i);
  }
  const spans = new Map<number, number>();
  for (let i = 0; i < runs.length; i++) {
    const [run, closer] = [runs[i], closedBy[i]];
    const end = closer === undefined ? undefined : runs[closer]?.end;
    if (!run || closer === undefined || end === undefined) continue;
    spans.set(run.at, end);
    i = closer;
  }
  return spans;
}

function startsAddress(line: string, at: number): boolean {
  return /^https?:\/\//.test(line.slice(at, at + 8));
}

/** An address ends where no address goes on; its signs are not marks. */
function addressEnd(line: string, at: number): number {
  let end = at;
  while (end < line.length && !/[\s<>*`[\]]/.test(line.charAt(end)) && !line.startsWith("~~", end))
    end++;
  return end;
}
