import type { RawTable } from "./raw.ts";

/** What the original takes for the same key, at the top of the file. */
const otherNames = { model_provider: "default_provider", model: "default_model" } as const;

/** A copy in which each key has the name that is known here. One that stands there under both keeps its other name. */
export function withKnownNames(table: RawTable): RawTable {
  const known: RawTable = { ...table };
  for (const [other, name] of Object.entries(otherNames)) {
    if (!Object.hasOwn(known, other) || Object.hasOwn(known, name)) continue;
    known[name] = known[other];
    delete known[other];
  }
  return known;
}
