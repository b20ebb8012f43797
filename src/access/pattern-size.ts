/**
 * An upper bound of the instructions a pattern compiles to, found by reading its text once, before anything is built:
 * `(a{1000}b){900}` costs a multiplication here and a million objects there. It over-counts (a `{` that turns out to
 * be literal, a class), never under-counts; a pattern the parser will refuse may get any figure.
 */
export function estimateInstructions(pattern: string): number {
  const groups: { total: number; last: number }[] = [];
  let total = 0;
  /** Size of what a repetition would repeat. */
  let last = 0;
  const atom = (size: number) => {
    total += last;
    last = size;
  };
  for (let i = 0; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === "\\" && pattern.charAt(i + 1) === "Q") {
      const end = pattern.indexOf("\\E", i + 2);
      const literal = pattern.slice(i + 2, end === -1 ? undefined : end);
      for (const _ of literal) atom(1);
      i = end === -1 ? pattern.length : end + 1;
    } else if (c === "\\") {
      i += escapeLength(pattern, i) - 1;
      atom(1);
    } else if (c === "[") {
      i = classEnd(pattern, i);
      atom(1);
    } else if (c === "(") {
      groups.push({ total, last });
      total = 0;
      last = 0;
    } else if (c === ")") {
      const inner = total + last;
      const outer = groups.pop() ?? { total: 0, last: 0 };
      total = outer.total + outer.last;
      last = inner + 2;
    } else if (c === "|") {
      atom(1);
    } else if (c === "*" || c === "+" || c === "?") {
      last += 2;
    } else if (c === "{") {
      const repeat = /^\{(\d{1,8})(?:,(\d{0,8}))?\}/.exec(pattern.slice(i, i + 24));
      if (repeat) {
        const count = Math.max(1, Number(repeat[1]), Number(repeat[2] || 0));
        last = (last + 1) * count + 2;
        i += repeat[0].length - 1;
      } else atom(1);
    } else atom(1);
  }
  for (const outer of groups) total += outer.total + outer.last;
  // One instruction each for failure and match, a pair for the whole match.
  return total + last + 4;
}

/** Length of the escape at `start`: `\x{10FFFF}`, `\p{Greek}`, `\pL`, `\x7F`, `\123` or two characters. */
function escapeLength(pattern: string, start: number): number {
  const rest = pattern.slice(start, start + 64);
  const match = /^\\(?:x\{[0-9a-fA-F]*\}|[pP]\{[^}]*\}|[pP].|x[0-9a-fA-F]{2}|[0-7]{1,3})/s.exec(
    rest,
  );
  return match ? match[0].length : 2;
}

/** Where the class that opens at `start` closes; the end of the pattern where it never does. */
function classEnd(pattern: string, start: number): number {
  let i = start + 1;
  if (pattern.charAt(i) === "^") i++;
  if (pattern.charAt(i) === "]") i++;
  for (; i < pattern.length; i++) {
    const c = pattern.charAt(i);
    if (c === "\\") i += escapeLength(pattern, i) - 1;
    else if (c === "[" && pattern.charAt(i + 1) === ":") {
      const end = pattern.indexOf(":]", i + 2);
      if (end !== -1) i = end + 1;
    } else if (c === "]") return i;
  }
  return pattern.length;
}
