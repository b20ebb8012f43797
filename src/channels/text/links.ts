/** `[label](destination)` or an image of that form, as offsets into its line. */
export interface Link {
  labelStart: number;
  labelEnd: number;
  /** After the closing bracket. */
  end: number;
  /** What follows the label in a text without links: the destination in brackets, or nothing. */
  suffix: string;
}

/**
 * Links and images of one line, by the offset of their first sign (CommonMark 0.31, sections 6.3 and 6.4; no reference
 * links). Brackets are matched once over the line, so it is linear.
 */
export function findLinks(line: string): Map<number, Link> {
  const links = new Map<number, Link>();
  if (!line.includes("](")) return links;
  const matching = matchBrackets(line);
  let inside = 0;
  for (let at = 0; at < line.length; at++) {
    const labelEnd = line.charAt(at) === "[" ? matching.get(at) : undefined;
    if (labelEnd === undefined || at < inside || line.charAt(labelEnd + 1) !== "(") continue;
    const close = matching.get(labelEnd + 1);
    const destination =
      close === undefined ? null : readDestination(line.slice(labelEnd + 2, close));
    if (close === undefined || destination === null) continue;
    const image = line.charAt(at - 1) === "!";
    const label = line.slice(at + 1, labelEnd);
    links.set(image ? at - 1 : at, {
      labelStart: at + 1,
      labelEnd,
      end: close + 1,
      suffix: suffix(label, destination),
    });
    inside = close + 1;
  }
  return links;
}

function matchBrackets(line: string): Map<number, number> {
  const matching = new Map<number, number>();
  const square: number[] = [];
  const round: number[] = [];
  for (let at = 0; at < line.length; at++) {
    const sign = line.charAt(at);
    if (sign === "\\") at++;
    else if (sign === "[") square.push(at);
    else if (sign === "(") round.push(at);
    else if (sign === "]" || sign === ")") {
      const open = (sign === "]" ? square : round).pop();
      if (open !== undefined) matching.set(open, at);
    }
  }
  return matching;
}

/** The address of `address "title"`; null where this is no link but text in brackets. */
function readDestination(content: string): string | null {
  const trimmed = content.trim();
  const space = trimmed.search(/\s/);
  const address = (space < 0 ? trimmed : trimmed.slice(0, space)).replace(/^<|>$/g, "");
  const title = space < 0 ? "" : trimmed.slice(space).trim();
  if (title !== "" && !/^["'(]/.test(title)) return null;
  return /^(?:[a-z][a-z0-9+.-]{1,20}:|[/#])/i.test(address) || address.includes(".")
    ? address
    : null;
}

function suffix(label: string, destination: string): string {
  if (destination.startsWith("#")) return "";
  const shown = destination.replace(/^(?:mailto|tel):/i, "");
  const bare = (address: string) => address.replace(/^https?:\/\//i, "").replace(/\/$/, "");
  if (bare(label.trim()) === bare(shown)) return "";
  return label.trim() === "" ? shown : ` (${shown})`;
}
