import type * as v from "valibot";

/** The schema as plain data: what may stand where. Messages, unknown keys, secrets and paths are found by it. */
export type Outline =
  | { kind: "table"; keys: Keys }
  | { kind: "list"; item: Outline }
  | { kind: "choice"; options: string[] }
  | { kind: "text"; secret: boolean; path: boolean; blank: boolean }
  | { kind: "integer" | "number"; minimum: number | null; maximum: number | null }
  | { kind: "boolean" };

/** The keys of a table, each outlined when it is asked for: a file has few of all. */
export interface Keys {
  get(key: string): Outline | undefined;
  keys(): Iterable<string>;
}

type Schema = v.GenericSchema;
const isOptional = (schema: Schema): schema is v.OptionalSchema<Schema, unknown> =>
  schema.type === "optional";
const isRareTable = (schema: Schema): schema is v.LazySchema<Schema> => schema.type === "lazy";
const isTable = (schema: Schema): schema is v.ObjectSchema<v.ObjectEntries, undefined> =>
  schema.type === "object";
const isList = (schema: Schema): schema is v.ArraySchema<Schema, undefined> =>
  schema.type === "array";
const isChoice = (schema: Schema): schema is v.PicklistSchema<string[], undefined> =>
  schema.type === "picklist";

/** Throws on a kind of schema that no key of the file has yet. */
export function outlineOf(schema: Schema): Outline {
  if (isOptional(schema)) return outlineOf(schema.wrapped);
  if (isRareTable(schema)) return outlineOf(schema.getter(undefined));
  if (isTable(schema)) return { kind: "table", keys: keysOf(schema.entries) };
  if (isList(schema)) return { kind: "list", item: outlineOf(schema.item) };
  if (isChoice(schema)) return { kind: "choice", options: schema.options };
  if (schema.type === "boolean") return { kind: "boolean" };
  if (schema.type === "number") {
    const { checks } = said(schema);
    return {
      kind: checks.has("integer") ? "integer" : "number",
      minimum: bound(checks.get("min_value")),
      maximum: bound(checks.get("max_value")),
    };
  }
  if (schema.type === "string") {
    const { secret, path, blank } = said(schema).metadata;
    return { kind: "text", secret: secret === true, path: path === true, blank: blank === true };
  }
  throw new TypeError("The outline of the configuration does not know this kind of schema");
}

function keysOf(entries: v.ObjectEntries): Keys {
  const outlines = new Map<string, Outline>();
  return {
    keys: () => Object.keys(entries),
    get(key) {
      const known = outlines.get(key);
      const schema = known || !Object.hasOwn(entries, key) ? undefined : entries[key];
      if (!schema) return known;
      const outline = outlineOf(schema);
      outlines.set(key, outline);
      return outline;
    },
  };
}

interface Said {
  /** What is asked of a value beyond its type, by the name of the check. */
  checks: Map<string, unknown>;
  metadata: Record<string, unknown>;
}

/** Everything that the pipes of a schema say, in one walk. */
function said(schema: object, so: Said = { checks: new Map(), metadata: {} }): Said {
  if (!("pipe" in schema) || !Array.isArray(schema.pipe)) return so;
  for (const part of schema.pipe as (v.GenericSchema | v.GenericPipeAction)[]) {
    if (part.kind === "schema") said(part, so);
    else if ("requirement" in part) so.checks.set(part.type, part.requirement);
    else if ("metadata" in part) Object.assign(so.metadata, part.metadata);
  }
  return so;
}

function bound(value: unknown): number | null {
  return typeof value !== "number" || Math.abs(value) >= Number.MAX_SAFE_INTEGER ? null : value;
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
    const whole = typeof value === "bigint" || Number.isInteger(value);
    if (outline.kind === "number" || (outline.kind === "integer" && whole)) return String(value);
    return whole ? "an integer" : "a decimal number";
  }
  if (Array.isArray(value)) return "a list";
  if (value instanceof Date) return "a date";
  return "a table";
}
