import { expect, test } from "bun:test";
import * as v from "valibot";
import { exportSchema } from "../../src/config/schema-export.ts";

interface Part {
  description?: string | undefined;
  required?: string[] | undefined;
  additionalProperties?: unknown;
  properties?: Record<string, Part> | undefined;
}
const part: v.GenericSchema<unknown, Part> = v.looseObject({
  description: v.optional(v.string()),
  required: v.optional(v.array(v.string())),
  additionalProperties: v.optional(v.unknown()),
  properties: v.optional(
    v.record(
      v.string(),
      v.lazy(() => part),
    ),
  ),
});

const everyKey = (table: Part, path: string): [path: string, key: Part][] =>
  Object.entries(table.properties ?? {}).flatMap(([name, key]) => [
    [`${path}${name}`, key],
    ...everyKey(key, `${path}${name}.`),
  ]);

const keys = everyKey(v.parse(part, exportSchema()), "");

test("every key says what it means", () => {
  expect(keys.length).toBeGreaterThan(100);
  expect(keys.filter(([, key]) => !key.description).map(([path]) => path)).toEqual([]);
});

test("it describes the file as written: nothing is required, other keys are allowed", () => {
  expect(keys.filter(([, key]) => key.required !== undefined)).toEqual([]);
  expect(keys.filter(([, key]) => key.additionalProperties === false)).toEqual([]);
  expect(new Map(keys).get("gateway.port")).toMatchObject({
    type: "integer",
    minimum: 1,
    maximum: 65535,
    default: 42617,
  });
  expect(new Map(keys).get("channels_config.whatsapp.app_secret")).toMatchObject({ secret: true });
});

test("an editor finds first which draft it is", () => {
  expect(Object.entries(exportSchema())[0]).toEqual([
    "$schema",
    "https://json-schema.org/draft/2020-12/schema",
  ]);
});
