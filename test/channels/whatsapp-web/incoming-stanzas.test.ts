import { expect, test } from "bun:test";
import { IncomingStanzas } from "../../../src/channels/whatsapp-web/incoming-stanzas.ts";

const enc = (type: string, text: string) => ({
  tag: "enc",
  attrs: { type, v: "2" },
  content: Buffer.from(text),
});
const stanza = (...content: ReturnType<typeof enc>[]) => ({
  tag: "message",
  attrs: { id: "M", from: "491700000001@s.whatsapp.net" },
  content,
});

test("each ciphertext is known by its very bytes, and knows its stanza", () => {
  const stanzas = new IncomingStanzas();
  const [key, text] = [enc("pkmsg", "key"), enc("skmsg", "text")];
  stanzas.note(stanza(key, text));
  const [first, second] = [stanzas.partOf(key.content), stanzas.partOf(text.content)];
  expect(first).toMatchObject({ parts: 2, attributes: { id: "M" } });
  expect(second?.stanza).toBe(first?.stanza ?? "");
  expect(second?.part).not.toBe(first?.part ?? "");
  expect(stanzas.partOf(Buffer.from("key"))).toBeUndefined();
});

test("a redelivery is the same stanza, a retry under the same id another", () => {
  const stanzas = new IncomingStanzas();
  const [one, again, retry] = [enc("msg", "a"), enc("msg", "a"), enc("pkmsg", "b")];
  for (const part of [one, again, retry]) stanzas.note(stanza(part));
  const [first, second, third] = [one, again, retry].map(({ content }) => stanzas.partOf(content));
  expect(second).toEqual(first);
  expect(third?.stanza).not.toBe(first?.stanza ?? "");
});

test("what Baileys does not decrypt is not waited for", () => {
  const stanzas = new IncomingStanzas();
  const text = enc("msg", "text");
  const signature = { ...enc("msg", "signed"), tag: "device-identity" };
  stanzas.note(stanza(text, enc("msmsg", "for a bot"), enc("hmsg", "other"), signature));
  expect(stanzas.partOf(text.content)?.parts).toBe(1);
});

test("a stanza that brings nothing to decrypt is none to note", () => {
  const stanzas = new IncomingStanzas();
  const text = enc("msg", "text");
  const words = { tag: "enc", attrs: { type: "msg" }, content: "words" };
  const odd = [undefined, "words", Buffer.from("bytes"), [words]];
  for (const content of odd)
    stanzas.note({ tag: "message", attrs: {}, ...(content && { content }) });
  stanzas.note({ tag: "message", attrs: {}, content: [words, text] });
  expect(stanzas.partOf(text.content)).toMatchObject({ parts: 1, attributes: {} });
});
