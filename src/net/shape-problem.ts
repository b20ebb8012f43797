import type * as v from "valibot";

/**
 * What is wrong with a JSON from outside, by its first fault: `messages[2].filename: Invalid length: …`. valibot's own
 * sentence about a wrong type repeats the value, which may be anything at all.
 */
export function shapeProblem([issue]: readonly v.BaseIssue<unknown>[]): string {
  if (!issue) return "";
  const place = (issue.path ?? []).map(({ key }) =>
    typeof key === "number" ? `[${key}]` : `.${String(key)}`,
  );
  const wrong = issue.kind === "schema" ? `expected ${issue.expected ?? "another"}` : issue.message;
  return [place.join("").replace(/^\./, ""), wrong].filter(Boolean).join(": ");
}
