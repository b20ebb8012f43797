import { expect, test } from "bun:test";
import { z } from "zod";
import { exportSchema } from "../../src/config/schema-export.ts";

const part = z.looseObject({
  type: z.string().optional(),
  description: z.string().optional(),
  required: z.array(z.string()).optional(),
  additionalProperties: z.unknown().optional(),
  get properties() {
    return z.record(z.string(), part).optional();
  },
});
type Part = z.infer<typeof part>;

const everyKey = (table: Part, path: string): [path: string, key: Part][] =>
  Object.entries(table.properties ?? {}).flatMap(([name, key]) => [
    [`${path}${name}`, key],
    ...everyKey(key, `${path}${name}.`),
  ]);

const keys = everyKey(part.parse(exportSchema()), "");

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
