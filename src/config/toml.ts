import { closeSync, openSync, readSync, statSync } from "node:fs";
import { parse, TomlError } from "smol-toml";
import { ConfigError, formatKey } from "./problems.ts";
import { isTable, type RawTable } from "./raw.ts";
import { errorCode } from "../runtime/error-code.ts";
import { fileTrouble } from "../runtime/file-trouble.ts";
import { shellQuote } from "../runtime/shell-quote.ts";
import { targetOf } from "../runtime/target-of.ts";

/** Far beyond any configuration; a wrong path must not fill the memory. */
const maxFileBytes = 4 * 1024 * 1024;
/** More than nearly every configuration has. */
const pieceBytes = 16 * 1024;

/** The text of the file at `path`, which `--config` named or not. Throws {@link ConfigError}. */
export function readConfigText(path: string, named = false): string {
  const fail = (message: string) =>
    new ConfigError([{ file: path, line: null, key: null, message }]);
  let bytes: Buffer;
  try {
    // A pipe that nobody writes to would be waited for. What a shell puts there itself (`<(…)`) has its end.
    if (!/^\/(dev|proc)\//.test(path) && statSync(path).isFIFO())
      throw fail("is a pipe, expected a file");
    bytes = readSome(path, maxFileBytes + 1);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    const code = errorCode(error);
    if (code === "ENOENT") {
      const target = targetOf(path);
      if (target !== path) throw fail(`is a link to ${target}, which is not there`);
      const init = named ? `revka init --config ${shellQuote(path)}` : "revka init";
      throw fail(`no such file; \`${init}\` writes one`);
    }
    if (code === "EISDIR") throw fail("is a directory, expected a file");
    if (code === "EACCES")
      throw fail("may not be read by this account: let it, or run as the owner");
    throw fail(`cannot be read (${fileTrouble(error)})`);
  }
  if (bytes.length > maxFileBytes) throw fail("is larger than 4 MiB");
  // Text of two bytes a letter is valid UTF-8 for a machine, and of no use to a person.
  if (bytes.includes(0)) throw fail("is not UTF-8 text");
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw fail("is not UTF-8 text");
  }
}

/** The first `limit` bytes of a file, which may be a pipe or have no end. */
function readSome(path: string, limit: number): Buffer {
  const descriptor = openSync(path, "r");
  try {
    const pieces: Buffer[] = [];
    for (let left = limit; left > 0;) {
      const piece = Buffer.allocUnsafe(Math.min(left, pieceBytes));
      const got = readSync(descriptor, piece, 0, piece.length, null);
      if (got === 0) break;
      pieces.push(piece.subarray(0, got));
      left -= got;
    }
    return Buffer.concat(pieces);
  } finally {
    closeSync(descriptor);
  }
}

/** Far beyond any configuration; whoever walks through the values does so by calling itself. */
const maxDepth = 100;

/** The values of a TOML text. Throws {@link ConfigError} with the line; the message repeats nothing of the text. */
export function parseConfigText(text: string, path: string): RawTable {
  const values = parsed(text, path);
  // The parser counts the brackets of values alone, not the parts of a key.
  const deep = Object.keys(values).find((key) => nests(values[key], maxDepth));
  if (deep === undefined) return values;
  const message = `nested deeper than ${maxDepth} keys`;
  throw new ConfigError([{ file: path, line: null, key: formatKey([deep]), message }]);
}

/** Is there anything below `levels` tables and lists? */
function nests(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((item) => nests(item, levels - 1));
}

function parsed(text: string, path: string): RawTable {
  try {
    const values: unknown = parse(text, {
      unsafeKeyBehaviour: "drop",
      maxDepth,
      // TOML's integers have 64 bits, also those that mean nothing here.
      integersAsBigInt: "asNeeded",
    });
    return isTable(values) ? values : {};
  } catch (error) {
    const line = error instanceof TomlError ? error.line : null;
    const message = `not valid TOML: ${error instanceof TomlError ? reason(error) : "cannot be read"}`;
    throw new ConfigError([{ file: path, line, key: null, message }]);
  }
}

/** What a person most likely did, by what the parser says of it. */
const hints: Record<string, string> = {
  "invalid value": "a text stands in quotes",
  "control characters are not allowed in strings":
    "a text of one line ends with the quote that it begins with",
};

/** smol-toml's own sentence, without the excerpt of the file that follows it. */
function reason(error: TomlError): string {
  const [sentence = ""] = error.message.split("\n", 1);
  const words = sentence.replace(/^Invalid TOML document: /, "");
  const hint = hints[words];
  if (hint !== undefined) return `${words}; ${hint}`;
  return /^[A-Za-z][A-Za-z ,:.;()-]{3,90}$/.test(words) ? words : "invalid value";
}
