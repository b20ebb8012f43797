import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { configSchema } from "./schema.ts";

/**
 * The JSON Schema (draft 2020-12) of the file as a person writes it, for editors and `revka config schema`. Keys with
 * a default are optional; `secret` marks what must not be shown. Keys it does not know are allowed, as in the file.
 */
export function exportSchema(): Record<string, unknown> {
  const { $schema, ...schema } = toJsonSchema(configSchema, {
    target: "draft-2020-12",
    typeMode: "input",
    overrideSchema: ({ valibotSchema, jsonSchema: { required, ...rest } }) => ({
      ...rest,
      ...(required?.length ? { required } : {}),
      ...v.getMetadata(valibotSchema),
    }),
  });
  return { $schema, ...schema, title: "Revka configuration" };
}
