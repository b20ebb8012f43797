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

/** A key's value with what the key means, for the exported schema and the reference. */
export const means = <const T extends v.GenericSchema>(schema: T, description: string) =>
  v.pipe(schema, v.description<v.InferOutput<T>, string>(description));

/** A table whose keys are made when a file has it: most files have few, and to make all takes a tenth of a start. */
export const rareTable = <const T extends v.ObjectEntries>(keys: () => T) =>
  v.lazy(once(() => v.object(keys())));
