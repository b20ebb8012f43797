import type { KeyPath } from "./problems.ts";

/** Finds the line of a key in TOML text. */
export interface Positions {
  /**
   * Line (from 1) of the key or list item at `path`; of the nearest table or list around it where it is absent; 1
   * for the whole file.
   */
  lineOf(path: KeyPath): number;
}

/** Values nested deeper are passed over without a position. */
const maxDepth = 100;

/**
 * Notes where the keys of a TOML text stand. The parser proper says what the text means; this only follows tables,
 * arrays of tables, dotted keys, inline tables, lists and strings. It never throws; on text that is not TOML its
 * answers are merely worth less.
 */
export function findPositions(toml: string): Positions {
  const scan = new Scan(toml);
  scan.document();
  const lines = scan.lines;
  return {
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const line = lines.get(pathId(path.slice(0, length)));
        if (line !== undefined) return line;
      }
      return 1;
    },
  };
}

const pathId = (path: KeyPath): string => JSON.stringify(path);

class Scan {
  readonly lines = new Map<string, number>();
  /** Items so far of each array of tables. */
  readonly #tableCounts = new Map<string, number>();
  readonly #text: string;
  #position = 0;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  document(): void {
    let table: KeyPath = [];
    while (this.#skipBlank()) {
      const before = this.#position;
      if (this.#peek() === "[") table = this.#header();
      else this.#pair(table, 0);
      if (this.#position === before) this.#advance(1);
    }
  }

  #peek(length = 1): string {
    return this.#text.slice(this.#position, this.#position + length);
  }

  #advance(count: number): void {
    const end = Math.min(this.#position + count, this.#text.length);
    for (; this.#position < end; this.#position++) {
      if (this.#text.charCodeAt(this.#position) === 10) this.#line++;
    }
  }

  #advanceTo(position: number): void {
    this.#advance((position === -1 ? this.#text.length : position) - this.#position);
  }

  /** Passes spaces, comments, line ends; false at the end of the text. */
  #skipBlank(): boolean {
    for (;;) {
      const c = this.#peek();
      if (c === "#") this.#advanceTo(this.#text.indexOf("\n", this.#position));
      else if (c === " " || c === "\t" || c === "\r" || c === "\n") this.#advance(1);
      else return c !== "";
    }
  }

  #skipSpaces(): void {
    while (this.#peek() === " " || this.#peek() === "\t") this.#advance(1);
  }

  #note(path: KeyPath, line: number): void {
    const id = pathId(path);
    if (!this.lines.has(id)) this.lines.set(id, line);
  }

  /** `[a.b]` or `[[a.b]]`: the path of what follows. */
  #header(): KeyPath {
    const line = this.#line;
    const isList = this.#peek(2) === "[[";
    this.#advance(isList ? 2 : 1);
    const keys = this.#dottedKey();
    const path: (string | number)[] = [];
    for (const [index, key] of keys.entries()) {
      path.push(key);
      this.#note(path, line);
      const count = this.#tableCounts.get(pathId(path)) ?? 0;
      if (isList && index === keys.length - 1) {
        this.#tableCounts.set(pathId(path), count + 1);
        path.push(count);
        this.#note(path, line);
      } else if (count > 0) path.push(count - 1);
    }
    this.#advanceTo(this.#text.indexOf("\n", this.#position));
    return path;
  }

  /** `key = value`. */
  #pair(table: KeyPath, depth: number): void {
    const line = this.#line;
    const path = [...table];
    for (const key of this.#dottedKey()) {
      path.push(key);
      this.#note(path, line);
    }
    this.#skipSpaces();
    if (this.#peek() !== "=") return;
    this.#advance(1);
    this.#skipSpaces();
    this.#value(path, depth);
  }

  #dottedKey(): string[] {
    const keys: string[] = [];
    for (;;) {
      this.#skipSpaces();
      const c = this.#peek();
      if (c === '"' || c === "'") keys.push(this.#quotedKey(c));
      else {
        const bare = /^[^\s.=[\]{}"'#,]+/.exec(
          this.#text.slice(this.#position, this.#position + 1024),
        );
        if (!bare) return keys;
        this.#advance(bare[0].length);
        keys.push(bare[0]);
      }
      this.#skipSpaces();
      if (this.#peek() !== ".") return keys;
      this.#advance(1);
    }
  }

  #quotedKey(quote: '"' | "'"): string {
    const start = this.#position;
    this.#string(quote);
    const raw = this.#text.slice(start, this.#position);
    if (quote === "'") return raw.slice(1, -1);
    try {
      return String(JSON.parse(raw));
    } catch {
      return raw.slice(1, -1);
    }
  }

  #value(path: KeyPath, depth: number): void {
    const c = this.#peek();
    if (depth >= maxDepth) this.#advance(1);
    else if (c === "[") this.#list(path, depth + 1);
    else if (c === "{") this.#inlineTable(path, depth + 1);
    else if (c === '"' || c === "'") this.#string(c);
    else {
      while (!/^[,\]}#\n]?$/.test(this.#peek())) this.#advance(1);
    }
  }

  /** Passes a string of one line or of several. */
  #string(quote: '"' | "'"): void {
    const triple = quote.repeat(3);
    const end = this.#peek(3) === triple ? triple : quote;
    this.#advance(end.length);
    for (;;) {
      const c = this.#peek();
      if (c === "" || (end === quote && c === "\n")) return;
      if (c === "\\" && quote === '"') this.#advance(2);
      else if (this.#peek(end.length) === end) break;
      else this.#advance(1);
    }
    this.#advance(end.length);
    // A string of several lines may end in up to two quotes of its own.
    if (end === triple) while (this.#peek() === quote) this.#advance(1);
  }

  #list(path: KeyPath, depth: number): void {
    this.#advance(1);
    for (let index = 0; this.#skipBlank();) {
      const c = this.#peek();
      if (c === "]") return this.#advance(1);
      const before = this.#position;
      if (c === ",") this.#advance(1);
      else {
        const item = [...path, index++];
        this.#note(item, this.#line);
        this.#value(item, depth);
      }
      if (this.#position === before) this.#advance(1);
    }
  }

  #inlineTable(path: KeyPath, depth: number): void {
    this.#advance(1);
    while (this.#skipBlank()) {
      const c = this.#peek();
      if (c === "}") return this.#advance(1);
      const before = this.#position;
      if (c === ",") this.#advance(1);
      else this.#pair(path, depth);
      if (this.#position === before) this.#advance(1);
    }
  }
}
