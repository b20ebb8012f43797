/** A fenced code block (CommonMark 0.31, section 4.5), as offsets into the text that holds it. */
export interface Fence {
  /** Begin of the line that opens it. */
  start: number;
  /** That line without indentation and trailing space, e.g. "```ts". */
  opening: string;
  /** The run of backticks or tildes that opens it. */
  mark: string;
  bodyStart: number;
  /** End of the last line of code, without its line end. */
  bodyEnd: number;
  /** End of the line that closes it, without its line end; the end of the text where nothing does. */
  end: number;
  closed: boolean;
}

const openingLine = /^ {0,3}(`{3,}|~{3,})([^\n]*)$/;
const closingLine = /^ {0,3}(`{3,}|~{3,})[ \t\r]*$/;

/** Every fence of the text, in order. Linear in its length. */
export function findFences(text: string): Fence[] {
  const fences: Fence[] = [];
  let open: Fence | null = null;
  for (let at = 0; at <= text.length;) {
    const newline = text.indexOf("\n", at);
    const lineEnd = newline < 0 ? text.length : newline;
    const line = text.slice(at, lineEnd);
    if (open) {
      const mark = closingLine.exec(line)?.[1];
      if (mark?.startsWith(open.mark)) {
        open.bodyEnd = Math.max(open.bodyStart, at - 1);
        open.end = lineEnd;
        open.closed = true;
        open = null;
      }
    } else {
      const [, mark = "", info = ""] = openingLine.exec(line) ?? [];
      // "```code```" on one line is a span, not the begin of a block.
      if (mark && !(mark.startsWith("`") && info.includes("`"))) {
        open = {
          start: at,
          opening: line.trim(),
          mark,
          bodyStart: Math.min(lineEnd + 1, text.length),
          bodyEnd: text.length,
          end: text.length,
          closed: false,
        };
        fences.push(open);
      }
    }
    at = lineEnd + 1;
  }
  return fences;
}
