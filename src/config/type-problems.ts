import type { z } from "zod";
import { nearestName } from "./nearest.ts";
import { expectation, found, outlineAt, type Outline } from "./outline.ts";
import type { KeyPath } from "./problems.ts";
import { valueAt } from "./raw.ts";

/** What the schema has against the file, in our words: where, and what was expected. */
export function typeProblems(
  issues: readonly z.core.$ZodIssue[],
  values: unknown,
  outline: Outline,
): { path: KeyPath; message: string }[] {
  return issues.map((issue) => {
    const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
    const part = outlineAt(outline, path);
    return { path, message: part ? describe(issue, valueAt(values, path), part) : "is not valid" };
  });
}

function describe(issue: z.core.$ZodIssue, value: unknown, outline: Outline): string {
  // The text of a format is written in the schema, for people, and holds nothing of the value.
  if (issue.code === "invalid_format") return `expected ${issue.message}`;
  if (issue.code === "too_small" && outline.kind === "list") return "expected at least one item";
  let message = `expected ${expectation(outline)}, found ${found(value, outline)}`;
  if (outline.kind === "choice" && typeof value === "string") {
    const nearest = nearestName(value, outline.options);
    if (nearest !== null) message += `; did you mean "${nearest}"?`;
  }
  return message;
}
