import {
  type BinaryNode,
  S_WHATSAPP_NET,
  getBinaryNodeChild,
  getBinaryNodeChildBuffer,
  getBinaryNodeChildren,
} from "@whiskeysockets/baileys";

export type { BinaryNode };
export { S_WHATSAPP_NET as SERVER };

type Attributes = Record<string, string | number | undefined>;

/** Builds a stanza; attributes that are undefined are left out. */
export function stanza(
  tag: string,
  attributes: Attributes = {},
  content?: BinaryNode["content"],
): BinaryNode {
  const attrs: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined) attrs[name] = String(value);
  }
  return content === undefined ? { tag, attrs } : { tag, attrs, content };
}

export function child(node: BinaryNode | undefined, tag: string): BinaryNode | undefined {
  return getBinaryNodeChild(node, tag);
}

export function children(node: BinaryNode | undefined, tag?: string): BinaryNode[] {
  if (tag !== undefined) return getBinaryNodeChildren(node, tag);
  return Array.isArray(node?.content) ? node.content : [];
}

/** The bytes of a child, or undefined if there is none. */
function childBytes(node: BinaryNode | undefined, tag: string): Buffer | undefined {
  const bytes = getBinaryNodeChildBuffer(node, tag);
  return bytes === undefined ? undefined : Buffer.from(bytes);
}

/** The bytes of a child that the protocol demands. */
export function requiredBytes(node: BinaryNode | undefined, tag: string): Buffer {
  const bytes = childBytes(node, tag);
  if (!bytes) throw new Error(`<${node?.tag}> lacks <${tag}>`);
  return bytes;
}

export function contentBytes(node: BinaryNode): Buffer {
  if (node.content instanceof Uint8Array) return Buffer.from(node.content);
  if (typeof node.content === "string") return Buffer.from(node.content);
  throw new Error(`<${node.tag}> holds no bytes`);
}

/** Big-endian integer of up to four bytes, as ids and counts travel. */
export function integer(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

export function now(): number {
  return Math.floor(Date.now() / 1000);
}

export function attribute(node: BinaryNode, name: string): string {
  const value = node.attrs[name];
  if (value === undefined) throw new Error(`<${node.tag}> lacks the attribute ${name}`);
  return value;
}

/** The answer to a query: same id, from whom it was asked. */
export function result(query: BinaryNode, content?: BinaryNode[]): BinaryNode {
  return stanza(
    "iq",
    { from: query.attrs.to ?? S_WHATSAPP_NET, id: query.attrs.id, type: "result" },
    content,
  );
}

export function queryError(query: BinaryNode, code: number, text: string): BinaryNode {
  return stanza(
    "iq",
    { from: query.attrs.to ?? S_WHATSAPP_NET, id: query.attrs.id, type: "error" },
    [stanza("error", { code, text })],
  );
}
