import { z } from "zod";

/** The schema as plain data: what may stand where. Messages, unknown keys, secrets and paths are found by it. */
export type Outline =
  | { kind: "table"; keys: ReadonlyMap<string, Outline> }
  | { kind: "list"; item: Outline }
  | { kind: "choice"; options: string[] }
  | { kind: "text"; secret: boolean; path: boolean; blank: boolean }
  | { kind: "integer" | "number"; minimum: number | null; maximum: number | null }
  | { kind: "boolean" };

/** Throws on a kind of schema that no key of the file has yet. */
export function outlineOf(schema: z.core.$ZodType): Outline {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault
  ) {
    return outlineOf(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return outlineOf(schema.in);
  if (schema instanceof z.ZodObject) {
    const entries = Object.entries<z.core.$ZodType>(schema.shape);
    return { kind: "table", keys: new Map(entries.map(([key, value]) => [key, outlineOf(value)])) };
  }
  if (schema instanceof z.ZodArray) return { kind: "list", item: outlineOf(schema.element) };
  if (schema instanceof z.ZodEnum) return { kind: "choice", options: schema.options.map(String) };
  if (schema instanceof z.ZodBoolean) return { kind: "boolean" };
  if (schema instanceof z.ZodNumber) {
    return {
      kind: schema.isInt ? "integer" : "number",
      minimum: bound(schema.minValue),
      maximum: bound(schema.maxValue),
    };
  }
  if (schema instanceof z.ZodString) {
    const meta = schema.meta();
    return {
      kind: "text",
      secret: meta?.["secret"] === true,
      path: meta?.["path"] === true,
      blank: meta?.["blank"] === true,
    };
  }
  throw new TypeError("The outline of the configuration does not know this kind of schema");
}

function bound(value: number | null): number | null {
  return value === null || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? null : value;
}

/** The part of `outline` at `path`, or undefined where the schema has nothing there. */
export function outlineAt(outline: Outline, path: readonly PropertyKey[]): Outline | undefined {
  let part: Outline | undefined = outline;
  for (const key of path) {
    if (part?.kind === "table" && typeof key === "string") part = part.keys.get(key);
    else if (part?.kind === "list" && typeof key === "number") part = part.item;
    else return undefined;
  }
  return part;
}

/** What should stand there, in words: `an integer from 1 to 65535`. */
export function expectation(outline: Outline): string {
  switch (outline.kind) {
    case "table":
      return "a table";
    case "list":
      return outline.item.kind === "text" ? "a list of strings" : "a list";
    case "choice":
      return orList(outline.options.map((option) => `"${option}"`));
    case "boolean":
      return "true or false";
    case "text":
      return "a string";
    default:
      return numberExpectation(outline.kind, outline.minimum, outline.maximum);
  }
}

function numberExpectation(kind: string, minimum: number | null, maximum: number | null): string {
  const noun = kind === "integer" ? "an integer" : "a number";
  if (minimum !== null && maximum !== null) return `${noun} from ${minimum} to ${maximum}`;
  if (minimum !== null) return `${noun} of ${minimum} or more`;
  return maximum === null ? noun : `${noun} of ${maximum} or less`;
}

function orList(items: string[]): string {
  return items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} or ${items.at(-1)}`;
}

/**
 * What stands there, in words. Of a string only that it is one: whatever a person put in the wrong place may be a
 * secret.
 */
export function found(value: unknown, outline: Outline): string {
  if (typeof value === "string") return outline.kind === "choice" ? "another string" : "a string";
  if (typeof value === "boolean") return "a boolean";
  if (typeof value === "number" || typeof value === "bigint") {
    if (outline.kind === "integer" && Number.isInteger(value)) return String(value);
    if (outline.kind === "number") return String(value);
    return Number.isInteger(value) ? "an integer" : "a decimal number";
  }
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  return "a table";
}
