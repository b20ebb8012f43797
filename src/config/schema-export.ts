import { toJsonSchema, type JsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { meaningOf } from "./schema-values.ts";
import { configSchema } from "./schema.ts";

/**
 * The JSON Schema (draft 2020-12) of the file as a person writes it, for editors and `revka config schema`. Keys with
 * a default are optional; `secret` marks what must not be shown. Keys it does not know are allowed, as in the file.
 */
export function exportSchema(): Record<string, unknown> {
  const { $schema, $defs, ...schema } = toJsonSchema(configSchema, {
    target: "draft-2020-12",
    typeMode: "input",
    overrideSchema: ({ valibotSchema, jsonSchema: { required, ...rest } }) => {
      const description = meaningOf(valibotSchema);
      return {
        ...rest,
        ...(required?.length ? { required } : {}),
        ...v.getMetadata(valibotSchema),
        ...(description === undefined ? {} : { description }),
      };
    },
  });
  return { $schema, ...inPlace(schema, $defs ?? {}), title: "Revka configuration" };
}

/** Tables that are made on demand come as references; here they stand where they are meant. */
function inPlace(node: JsonSchema, definitions: NonNullable<JsonSchema["$defs"]>): JsonSchema {
  const { $ref, ...rest } = node;
  if ($ref !== undefined) {
    const definition = definitions[$ref.replace("#/$defs/", "")];
    if (typeof definition !== "object") throw new Error(`no definition ${$ref}`);
    return inPlace({ ...definition, ...rest }, definitions);
  }
  if (!node.properties) return node;
  const placed = Object.entries(node.properties).map(([key, value]) => [
    key,
    typeof value === "boolean" ? value : inPlace(value, definitions),
  ]);
  return { ...node, properties: Object.fromEntries(placed) };
}
