import type { KeyPath } from "./problems.ts";
import type { RawTable } from "./raw.ts";

/** What the original takes for the same key, at the top of the file. */
const otherNames = { model_provider: "default_provider", model: "default_model" } as const;

/**
 * A copy in which each such text has the name that is known here, and how a key is spelled in the file. One that stands
 * there under both names keeps its other one.
 */
export function withKnownNames(table: RawTable): {
  table: RawTable;
  spelled(path: KeyPath): KeyPath;
} {
  const known: RawTable = { ...table };
  const spelling = new Map<string, string>();
  for (const [other, name] of Object.entries(otherNames)) {
    if (typeof known[other] !== "string" || Object.hasOwn(known, name)) continue;
    known[name] = known[other];
    delete known[other];
    spelling.set(name, other);
  }
  const spelled = ([first = "", ...rest]: KeyPath): KeyPath => [
    spelling.get(String(first)) ?? first,
    ...rest,
  ];
  return { table: known, spelled };
}
