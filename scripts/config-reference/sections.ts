import * as v from "valibot";

/** One table of the config file. */
export interface Section {
  /** Such as `gateway.tls`; `""` for the keys above all tables. */
  path: string;
  about: string;
  keys: SectionKey[];
}

/** One key, in Markdown. */
export interface SectionKey {
  name: string;
  type: string;
  fallback: string;
  meaning: string;
}

const nodeSchema = v.object({
  type: v.optional(v.string()),
  description: v.optional(v.string(), ""),
  enum: v.optional(v.array(v.string())),
  minimum: v.optional(v.number()),
  maximum: v.optional(v.number()),
  minItems: v.optional(v.number()),
  secret: v.optional(v.boolean(), false),
  path: v.optional(v.boolean(), false),
  blank: v.optional(v.boolean(), false),
  properties: v.optional(v.record(v.string(), v.unknown())),
});
type Node = v.InferOutput<typeof nodeSchema>;

/** Every table of the exported JSON Schema, in its order. `defaults` is a config in which every table stands. */
export function sectionsOf(schema: unknown, defaults: unknown, path = ""): Section[] {
  const node = v.parse(nodeSchema, schema);
  const children = Object.entries(node.properties ?? {}).map(([name, child]) => ({
    name,
    node: v.parse(nodeSchema, child),
    child,
    value: member(defaults, name),
  }));
  const own = children.filter((child) => child.node.properties === undefined);
  const tables = children.filter((child) => child.node.properties !== undefined);
  const keys = own.map(({ name, node, value }) => ({
    name,
    type: typeOf(node),
    fallback: value === undefined ? "" : `\`${JSON.stringify(value)}\``,
    meaning: asMarkdown(node.description),
  }));
  return [
    ...(keys.length > 0 ? [{ path, about: node.description, keys }] : []),
    ...tables.flatMap(({ name, child, value }) =>
      sectionsOf(child, value, path === "" ? name : `${path}.${name}`),
    ),
  ];
}

/** Quoted words, variables and places become code, so that no sign in them is taken for Markdown. */
function asMarkdown(text: string): string {
  return text.replace(
    /`[^`]*`|"[^"]*"|<home>\S*|\[[a-z_.]+\]|--\w+|custom:\S+|\b[A-Z]+(?:_[A-Z]+)+\b/g,
    (word) => (word.startsWith("`") ? word : `\`${word}\``),
  );
}

function member(value: unknown, name: string): unknown {
  const table = v.safeParse(v.record(v.string(), v.unknown()), value);
  return table.success ? table.output[name] : undefined;
}

function typeOf(node: Node): string {
  if (node.enum) return node.enum.map((value) => `\`"${value}"\``).join(", ");
  if (node.type === "array") return "list of texts";
  if (node.type === "boolean") return "true or false";
  if (node.type === "integer" || node.type === "number") return numberType(node);
  if (node.secret) return "text, secret";
  if (node.path) return "path";
  return node.blank ? "text, may be blank" : "text";
}

function numberType({ type, minimum, maximum }: Node): string {
  const kind = type === "integer" ? "whole number" : "number";
  const top = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (minimum !== undefined && top !== undefined) return `${kind}, ${minimum} to ${top}`;
  return minimum === undefined ? kind : `${kind}, at least ${minimum}`;
}
