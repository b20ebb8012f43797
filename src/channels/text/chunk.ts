import { once } from "../../runtime/once.ts";
import { findFences, type Fence } from "./fences.ts";

/** A smaller chunk leaves no room for a fence with something in it. */
const smallestLimit = 16;

/**
 * Splits `text` into chunks of at most `limit` UTF-16 units (16 or more; throws RangeError otherwise). It cuts between
 * paragraphs, else lines, else words, else characters, never inside a surrogate pair or a grapheme cluster. A code
 * fence that must be cut is closed, and opened again with its language in the next chunk. Only whitespace is lost, at
 * the cuts. Text that fits comes out as it is; blank text gives no chunk. Linear in the length of the text.
 */
export function chunkText(text: string, limit: number): string[] {
  if (!(limit >= smallestLimit)) {
    throw new RangeError(`a chunk needs at least ${smallestLimit} characters`);
  }
  if (text.trim() === "") return [];
  if (text.length <= limit) return [text];

  const fences = findFences(text).filter((fence) => fence.closed && fits(fence, limit));
  const chunks: string[] = [];
  let at = 0;
  let passed = 0;
  while (at < text.length) {
    while ((fences[passed]?.end ?? Infinity) <= at) passed++;
    const reopened = bodyAt(fences[passed], at);
    const prefix = reopened ? `${reopened.opening}\n` : "";
    const max = at + limit - prefix.length;
    let until = passed;
    while ((fences[until]?.start ?? Infinity) <= max) until++;
    const cut =
      max >= text.length ? toTheEnd(text) : chooseCut(text, at, max, fences.slice(passed, until));
    const piece = text.slice(at, cut.end);
    const chunk = prefix + (cut.torn ? piece + closing(cut.torn) : piece.trimEnd());
    if (chunk.trim() !== "") chunks.push(chunk);
    at = cut.resume;
  }
  return chunks;
}

interface Cut {
  /** The chunk ends before this offset, the next one begins at `resume`. */
  end: number;
  resume: number;
  /** The fence it cuts in two, so that both parts need marks. */
  torn: Fence | null;
}

function toTheEnd(text: string): Cut {
  return { end: text.length, resume: text.length, torn: null };
}

/** Where to cut in (at, max]. `fences` are those that touch that range. */
function chooseCut(text: string, at: number, max: number, fences: Fence[]): Cut {
  const half = at + (max - at) / 2;
  for (const separator of ["\n\n", "\n"]) {
    const end = lastOutside(fences, at, max, (from) => text.lastIndexOf(separator, from));
    if (end > half) return { end, resume: skip(text, end, "\r\n"), torn: null };
  }
  const fence = fences.find((it) => it.start <= max && max < it.end);
  if (fence) return tear(text, at, max, fence);
  const word = lastOutside(fences, at, max, (from) => lastSpace(text, at, from));
  if (word > at) return { end: word, resume: skip(text, word, " \t\r\n"), torn: null };
  const end = lastBoundary(text, at, max);
  return { end, resume: end, torn: null };
}

/** Cuts the fence that lies across `max`, at a line of its code if there is one. */
function tear(text: string, at: number, max: number, fence: Fence): Cut {
  const from = Math.max(at, fence.bodyStart);
  const last = max - closing(fence).length;
  if (last <= from) {
    const end = fence.start > at ? fence.start : lastBoundary(text, at, max);
    return { end, resume: end, torn: null };
  }
  const after = skip(text, fence.end, "\r\n");
  if (last >= fence.bodyEnd) return { end: fence.bodyEnd, resume: after, torn: fence };
  const line = text.lastIndexOf("\n", last);
  const end = line > from ? line : lastBoundary(text, from, last);
  const resume = line > from ? line + 1 : end;
  const rest = text.slice(resume, fence.bodyEnd);
  return { end, resume: rest.trim() === "" ? after : resume, torn: fence };
}

/** The last place in (at, max] that `find` gives and no fence covers; `at` where there is none. */
function lastOutside(
  fences: Fence[],
  at: number,
  max: number,
  find: (from: number) => number,
): number {
  let place = find(max);
  for (let i = fences.length - 1; i >= 0 && place > at; i--) {
    const fence = fences[i];
    if (fence && place >= fence.start && place < fence.end) place = find(fence.start - 1);
  }
  return Math.max(place, at);
}

function lastSpace(text: string, at: number, from: number): number {
  for (let place = from; place > at; place--) {
    if (" \t\n\r".includes(text.charAt(place))) return place;
  }
  return -1;
}

const graphemes = once(() => new Intl.Segmenter(undefined, { granularity: "grapheme" }));

/** Clusters longer than this (stacked marks) are cut between code points. */
const longestCluster = 256;

/** The last boundary of graphemes in (at, max], or of code points where one grapheme fills the range. */
function lastBoundary(text: string, at: number, max: number): number {
  const from = Math.max(at, max - longestCluster);
  const nearby = graphemes().segment(text.slice(from, max + longestCluster));
  const boundary = from + (nearby.containing(max - from)?.index ?? 0);
  if (boundary > from) return boundary;
  const betweenSurrogates = /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(max - 1, max + 1));
  return betweenSurrogates ? max - 1 : max;
}

function skip(text: string, from: number, characters: string): number {
  let at = from;
  while (at < text.length && characters.includes(text.charAt(at))) at++;
  return at;
}

function bodyAt(fence: Fence | undefined, at: number): Fence | null {
  return fence && at >= fence.bodyStart && at < fence.bodyEnd ? fence : null;
}

function closing(fence: Fence): string {
  return `\n${fence.mark}`;
}

/** A fence whose marks would take half a chunk is cut like any text. */
function fits(fence: Fence, limit: number): boolean {
  // As the text has it: blanks behind the mark are no part of `opening`.
  return fence.bodyStart - fence.start + closing(fence).length <= limit / 2;
}
