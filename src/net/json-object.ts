import * as v from "valibot";

/** The value of a JSON text; undefined where it is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A JSON object, whatever its keys. */
export function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Stands before valibot's own objects, which take a list for one. */
export const fields = v.guard(isFields, "expected an object");

/** A JSON object with these keys; others are left out. */
export const jsonObject = <const T extends v.ObjectEntries>(entries: T) =>
  v.pipe(v.unknown(), fields, v.object(entries));

/** JSON may write a number that is too large for one. */
export const number = v.pipe(v.number(), v.finite());

/** A whole number that a double holds exactly. */
export const wholeNumber = v.pipe(v.number(), v.safeInteger());

/** Absent where it is of another shape. */
export const optional = <T extends v.GenericSchema>(shape: T) =>
  v.fallback(v.optional(shape), undefined);
