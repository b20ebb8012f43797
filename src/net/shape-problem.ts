import type * as v from "valibot";

type Issue = v.BaseIssue<unknown>;
type Place = readonly v.IssuePathItem[];

/**
 * What is wrong with a JSON from outside, by its first fault: `messages[2].filename: longer than 255`. valibot's own
 * sentence about a wrong type repeats the value, which may be anything at all.
 */
export function shapeProblem([issue]: readonly Issue[]): string {
  return issue ? problem(issue, issue.path ?? []) : "";
}

/** All that is wrong with it; where it fits none of several shapes, what each of them lacks. */
export function shapeProblems(issues: readonly Issue[], outer: Place = []): string {
  const problems = issues.map((issue) => {
    const place = [...outer, ...(issue.path ?? [])];
    return issue.issues ? shapeProblems(issue.issues, place) : problem(issue, place);
  });
  return problems.join("; ");
}

function problem(issue: Issue, place: Place): string {
  const keys = place.map(({ key }) => (typeof key === "number" ? `[${key}]` : `.${String(key)}`));
  return [keys.join("").replace(/^\./, ""), fault(issue)].filter(Boolean).join(": ");
}

function fault({ kind, type, message, expected, requirement, input, path }: Issue): string {
  if (type === "max_length") return `longer than ${String(requirement)}`;
  if (type === "non_empty") return "empty";
  if (type === "guard") return `${message}, found ${found(input)}`;
  if (kind !== "schema") return message;
  if (path?.at(-1)?.origin === "key") return expected === "never" ? "unknown key" : "missing";
  return `expected ${names[expected ?? ""] ?? expected ?? "another"}, found ${found(input)}`;
}

const names: Record<string, string> = {
  Array: "a list",
  Object: "an object",
  boolean: "true or false",
  number: "a number",
  string: "a text",
};

/** The kind of a JSON value, and nothing of it. */
function found(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "an object";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}
