/** Where a value stands: keys of tables, positions in lists. */
export type KeyPath = readonly (string | number)[];

/** One thing wrong with the configuration, in words a person can act on. Holds no value that could be a secret. */
export interface Problem {
  /** The file as the person named it, or `environment`. */
  file: string;
  /** From 1; null where there is no line (a missing file, the environment). */
  line: number | null;
  /** Full dotted path, list items as `key[2]`; null where it concerns the whole file. */
  key: string | null;
  message: string;
}

/** The configuration cannot be used; commands answer it with exit code 78. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(
    readonly problems: Problem[],
    /** What else was noticed; a misspelt key often explains a missing one. */
    readonly warnings: Problem[] = [],
  ) {
    super(problems.map(formatProblem).join("\n"));
  }
}

/** One line: `config.toml:12: gateway.port: expected an integer from 1 to 65535, found a string`. */
export function formatProblem({ file, line, key, message }: Problem): string {
  const place = line === null ? file : `${file}:${line}`;
  return key === null ? `${place}: ${message}` : `${place}: ${key}: ${message}`;
}

/** `["a", "b", 2]` is `a.b[2]`; keys that are not bare are quoted, long ones clipped. */
export function formatKey(path: KeyPath): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += `${text === "" ? "" : "."}${formatPart(part)}`;
  }
  return text;
}

function formatPart(part: string): string {
  const clipped = part.length > 40 ? `${part.slice(0, 40)}…` : part;
  return /^[A-Za-z0-9_-]+…?$/.test(clipped) ? clipped : JSON.stringify(clipped);
}

/** In the order a person meets them in the file. */
export function sortProblems(problems: Problem[]): Problem[] {
  return problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
