import * as v from "valibot";
import { once } from "../runtime/once.ts";

/** The kinds of values that the tables of the file share. */

export const number = v.number();

/** A whole number that a double holds exactly, as TOML has them. */
export const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(number, v.integer(), v.minValue(least), v.maxValue(most));

/** `""` in the file is as good as an absent key (see {@link blankText}). */
export const text = v.string();
/** Text of which `""` is a value of its own. */
export const blankText = v.pipe(text, v.metadata({ blank: true }));
/** Never printed, logged or put in an error. */
export const secret = v.pipe(text, v.metadata({ secret: true }));
/** A file or folder; a leading `~` is expanded. */
export const path = v.pipe(text, v.metadata({ path: true }));
export const boolean = v.boolean();
export const texts = v.array(text);
export const positive = integer(1);
export const port = integer(1, 65535);

/** A key that a file may leave out, with what it means. */
export interface Key<T extends v.GenericSchema> {
  schema: T;
  meaning: string;
}

const optionals = new Map<v.GenericSchema, Map<unknown, v.GenericSchema>>();

/**
 * A key of this kind, and what it is where the file has none. Keys of one kind and one such value share their schema:
 * there are many, and all are made at every start.
 */
export function key<const T extends v.GenericSchema>(
  kind: T,
  meaning: string,
): Key<v.OptionalSchema<T, undefined>>;
export function key<const T extends v.GenericSchema, const F extends v.Default<T, undefined>>(
  kind: T,
  meaning: string,
  fallback: F,
): Key<v.OptionalSchema<T, F>>;
export function key(
  kind: v.GenericSchema,
  meaning: string,
  fallback?: unknown,
): Key<v.GenericSchema> {
  let known = optionals.get(kind);
  if (!known) optionals.set(kind, (known = new Map()));
  let schema = known.get(fallback);
  if (!schema) known.set(fallback, (schema = v.optional(kind, fallback)));
  return { schema, meaning };
}

type Keys = Record<string, Key<v.GenericSchema>>;
type Table<K extends Keys> = v.ObjectSchema<{ [N in keyof K]: K[N]["schema"] }, undefined>;

const meanings = new WeakMap<object, Keys>();

/** A table of the file. */
export function table<const K extends Keys>(keys: K): Table<K> {
  const entries = Object.entries(keys).map(([name, { schema }]) => [name, schema]);
  const made = v.object(Object.fromEntries(entries)) as Table<K>;
  meanings.set(made, keys);
  return made;
}

/** A table that is made where a file has it: most files have few, and to make all takes a tenth of a start. */
export const rareTable = <const K extends Keys>(keys: () => K) => v.lazy(once(() => table(keys())));

/** What a key of this table means; undefined where it is no table or has no such key. */
export const meaningOf = (table: object, name: string): string | undefined =>
  meanings.get(table)?.[name]?.meaning;
