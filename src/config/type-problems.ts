import type * as v from "valibot";
import { nearestName } from "./nearest.ts";
import { expectation, found, outlineAt, type Outline } from "./outline.ts";
import type { KeyPath } from "./problems.ts";
import { isTable, valueAt } from "./raw.ts";

/** What the schema has against the file, in our words: where, and what was expected. */
export function typeProblems(
  issues: readonly v.BaseIssue<unknown>[],
  values: unknown,
  outline: Outline,
): { path: KeyPath; message: string }[] {
  const refused = issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => (typeof key === "number" ? key : String(key)));
    const part = outlineAt(outline, path);
    return { path, message: part ? describe(issue, valueAt(values, path), part) : "is not valid" };
  });
  return [...refused, ...notTables(values, outline, [])];
}

/** To the schema a list or a date is a table without keys. */
function notTables(
  values: unknown,
  outline: Outline,
  path: KeyPath,
): { path: KeyPath; message: string }[] {
  if (outline.kind !== "table" || typeof values !== "object" || values === null) return [];
  if (!isTable(values)) return [{ path, message: mismatch(values, outline) }];
  return Object.entries(values).flatMap(([key, value]) => {
    const part = outline.keys.get(key);
    return part ? notTables(value, part, [...path, key]) : [];
  });
}

function describe(issue: v.BaseIssue<unknown>, value: unknown, outline: Outline): string {
  // The text of a format is written in the schema, for people, and holds nothing of the value.
  if (issue.type === "regex") return `expected ${issue.message}`;
  if (issue.type === "min_length") return "expected at least one item";
  let message = mismatch(value, outline);
  if (outline.kind === "choice" && typeof value === "string") {
    const nearest = nearestName(value, outline.options);
    if (nearest !== null) message += `; did you mean "${nearest}"?`;
  }
  return message;
}

const mismatch = (value: unknown, outline: Outline): string =>
  `expected ${expectation(outline)}, found ${found(value, outline)}`;
