import { nearestName } from "./nearest.ts";
import type { Outline } from "./outline.ts";
import type { KeyPath } from "./problems.ts";

/** The parsed file before it has been checked. */
export type RawTable = Record<string, unknown>;

export function isTable(value: unknown): value is RawTable {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** The same tables anew, with the same values and lists in them. */
export function copyOfTables(table: RawTable): RawTable {
  const copy: RawTable = {};
  for (const [key, item] of Object.entries(table)) {
    copy[key] = isTable(item) ? copyOfTables(item) : item;
  }
  return copy;
}

/** The value at `path`, or undefined. */
export function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) {
    if (Array.isArray(value) && typeof key === "number") value = value[key];
    else if (isTable(value) && typeof key === "string" && Object.hasOwn(value, key))
      value = value[key];
    else return undefined;
  }
  return value;
}

/** A copy without keys whose text is blank, where the schema says that blank means unset. */
export function withoutBlanks(table: RawTable, outline: Outline): RawTable {
  const kept: RawTable = {};
  for (const [key, item] of Object.entries(table)) {
    const part = outline.kind === "table" ? outline.keys.get(key) : undefined;
    if (part && isTable(item)) kept[key] = withoutBlanks(item, part);
    else if (!(part?.kind === "text" && !part.blank && isBlank(item))) kept[key] = item;
  }
  return kept;
}

const isBlank = (value: unknown): boolean => typeof value === "string" && value.trim() === "";

/** A copy without the keys at `paths`; a bad list item takes its whole list along. */
export function without(root: RawTable, paths: readonly KeyPath[]): RawTable {
  const copy = copyOfTables(root);
  for (const path of paths) {
    const firstIndex = path.findIndex((part) => typeof part === "number");
    const keys = firstIndex === -1 ? path : path.slice(0, firstIndex);
    const last = keys.at(-1);
    const table = valueAt(copy, keys.slice(0, -1));
    if (isTable(table) && typeof last === "string") delete table[last];
  }
  return copy;
}

export interface UnknownKey {
  path: KeyPath;
  /** The known name it most likely stands for. */
  nearest: string | null;
  /** A whole section: the original has many that mean nothing here. */
  section: boolean;
}

/** Every key that the schema does not know; not what lies under one. */
export function unknownKeys(value: unknown, outline: Outline, path: KeyPath = []): UnknownKey[] {
  if (!isTable(value) || outline.kind !== "table") return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const part = outline.keys.get(key);
    const here = [...path, key];
    if (part) return unknownKeys(item, part, here);
    const section = isTable(item) || (Array.isArray(item) && item.some(isTable));
    return [{ path: here, nearest: nearestName(key, outline.keys.keys()), section }];
  });
}

/** Calls back with every text of `value` that the outline knows. */
export function eachText(
  value: unknown,
  outline: Outline | undefined,
  visit: (text: string, outline: Outline & { kind: "text" }) => void,
): void {
  if (outline?.kind === "table" && isTable(value)) {
    for (const [key, item] of Object.entries(value)) eachText(item, outline.keys.get(key), visit);
  } else if (outline?.kind === "list" && Array.isArray(value)) {
    for (const item of value) eachText(item, outline.item, visit);
  } else if (outline?.kind === "text" && typeof value === "string") visit(value, outline);
}
