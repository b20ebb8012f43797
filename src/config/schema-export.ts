import { z } from "zod";
import { configSchema } from "./schema.ts";

/**
 * The JSON Schema (draft 2020-12) of the file as a person writes it, for editors and `revka config schema`. Keys with
 * a default are optional; `secret` marks what must not be shown. Keys it does not know are allowed, as in the file.
 */
export function exportSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(configSchema, { io: "input" });
  return { ...schema, title: "Revka configuration" };
}
