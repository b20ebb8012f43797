import type { BinaryNode } from "@whiskeysockets/baileys";
import { type StanzaAttributes, type StanzaPart, digestOf } from "./journal.ts";

/**
 * Tells, for a ciphertext that Baileys wants decrypted, which stanza it came in. Baileys hands the very bytes of the
 * stanza to the decryption, so the bytes are the key.
 */
export class IncomingStanzas {
  private readonly parts = new WeakMap<object, StanzaPart>();

  /** Call it for every `message` stanza before Baileys sees it. */
  note(node: BinaryNode): void {
    const contents = ciphertextsOf(node);
    if (contents.length === 0) return;
    const stanza = digestOf(...contents);
    const attributes = attributesOf(node);
    for (const content of contents) {
      const part = contents.length === 1 ? stanza : digestOf(content);
      this.parts.set(content, { part, stanza, parts: contents.length, attributes });
    }
  }

  partOf(ciphertext: Uint8Array): StanzaPart | undefined {
    return this.parts.get(ciphertext);
  }
}

export function attributesOf({ attrs }: BinaryNode): StanzaAttributes {
  const attributes: StanzaAttributes = {};
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === "string") attributes[name] = value;
  }
  return attributes;
}

/** What Baileys can decrypt: a part it skips would keep the stanza incomplete. */
const readable = new Set(["pkmsg", "msg", "skmsg"]);

function ciphertextsOf(node: BinaryNode): Uint8Array[] {
  if (!Array.isArray(node.content)) return [];
  return node.content.flatMap(({ tag, attrs, content }) =>
    tag === "enc" && readable.has(attrs.type ?? "") && content instanceof Uint8Array
      ? [content]
      : [],
  );
}
