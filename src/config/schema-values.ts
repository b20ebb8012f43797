import * as v from "valibot";
import { once } from "../runtime/once.ts";

/** The kinds of values that the tables of the file share. */

/** A whole number that a double holds exactly, as TOML has them. */
export const integer = (least: number, most = Number.MAX_SAFE_INTEGER) =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

/** `""` in the file is as good as an absent key (see {@link blankText}). */
export const text = v.string();
/** Text of which `""` is a value of its own. */
export const blankText = v.pipe(v.string(), v.metadata({ blank: true }));
/** Never printed, logged or put in an error. */
export const secret = v.pipe(v.string(), v.metadata({ secret: true }));
/** A file or folder; a leading `~` is expanded. */
export const path = v.pipe(v.string(), v.metadata({ path: true }));
export const positive = integer(1);
export const port = integer(1, 65535);

const meanings = new WeakMap<object, string>();

/**
 * A key that a file may leave out, with what it means and what it then is. The meaning is kept beside the schema, whose
 * own way would make a schema more of each key at every start.
 */
export function key<const T extends v.GenericSchema>(
  schema: T,
  meaning: string,
): v.OptionalSchema<T, undefined>;
export function key<const T extends v.GenericSchema, const F extends v.Default<T, undefined>>(
  schema: T,
  meaning: string,
  fallback: F,
): v.OptionalSchema<T, F>;
export function key(
  schema: v.GenericSchema,
  meaning: string,
  fallback?: unknown,
): v.OptionalSchema<v.GenericSchema, unknown> {
  const made = v.optional(schema, fallback);
  meanings.set(made, meaning);
  return made;
}

/** What a key of the file means; undefined where the schema is no key's. */
export const meaningOf = (schema: object): string | undefined => meanings.get(schema);

/** A table whose keys are made when a file has it: most files have few, and to make all takes a tenth of a start. */
export const rareTable = <const T extends v.ObjectEntries>(keys: () => T) =>
  v.lazy(once(() => v.object(keys())));
