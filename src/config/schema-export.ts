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
    overrideSchema: ({ valibotSchema, jsonSchema: { required, ...rest } }) => ({
      ...rest,
      ...(required?.length ? { required } : {}),
      ...(rest.properties && { properties: described(valibotSchema, rest.properties) }),
      ...v.getMetadata(valibotSchema),
    }),
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

type Properties = NonNullable<JsonSchema["properties"]>;

function described(table: object, properties: Properties): Properties {
  const entries = Object.entries(properties).map(([name, node]) => {
    const description = meaningOf(table, name);
    return [name, typeof node === "object" && description ? { description, ...node } : node];
  });
  return Object.fromEntries(entries);
}
