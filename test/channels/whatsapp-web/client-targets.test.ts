import { afterEach, beforeEach, expect, test } from "bun:test";
import { proto } from "@whiskeysockets/baileys";
import type { Recipient } from "../../../src/channels/message.ts";
import { messageIdOf } from "../../../src/channels/whatsapp-web/outgoing.ts";
import { ADA, ADA_LID, GROUP, clientHarness, delivery, toAda, toGroup } from "./client-harness.ts";

const BOB = "447700900002@s.whatsapp.net";
const SELF = "15550001000@s.whatsapp.net";
let h: ReturnType<typeof clientHarness>;
beforeEach(() => {
  h = clientHarness();
  h.world.devices.push(BOB);
  h.acknowledged();
});
afterEach(() => h.stop());

const toSelf: Recipient = { kind: "self" };
const toBob: Recipient = { ...toAda, phone: "+447700900002" };

/** A message that came before, and was handed over. */
async function received(id: string, attributes: Record<string, string>, preview: string | null) {
  const { journal } = h.session;
  const part = { part: id, stanza: id, parts: 1, attributes: { id, ...attributes } };
  await h.session.write(() => journal.put(part, new Uint8Array([1]), 1));
  await h.session.write(journal.closing(id, preview, false));
}

let sends = 0;
async function sent(to: Recipient, content: Parameters<typeof delivery>[1]) {
  expect(await h.send(delivery(to, content, `sent ${++sends}`))).toMatchObject({ ok: true });
  return h.relayed.at(-1)?.message ?? {};
}
const quoting = async (to: Recipient, quote: string) => {
  const message = await sent(to, { kind: "text", text: "yes", quote });
  return message.extendedTextMessage?.contextInfo ?? null;
};
const reacting = async (to: Recipient, targetId: string) => {
  const message = await sent(to, { kind: "reaction", targetId, emoji: "👍" });
  return message.reactionMessage?.key;
};

test("a quotation names who wrote it, without a device, and how it began", async () => {
  await received("A", { from: "491700000001:3@s.whatsapp.net" }, "are you there?");
  expect(await quoting(toAda, "A")).toEqual({
    stanzaId: "A",
    participant: ADA,
    quotedMessage: { conversation: "are you there?" },
  });
  await received("G", { from: GROUP, participant: "491700000001:3@s.whatsapp.net" }, null);
  expect(await quoting(toGroup, "G")).toEqual({
    stanzaId: "G",
    participant: ADA,
    quotedMessage: { conversation: "" },
  });
});

test("nothing is quoted from another chat, and nothing that is not known", async () => {
  await received("A", { from: ADA }, "a secret of Ada");
  await received("G", { from: GROUP, participant: BOB }, "a word among friends");
  expect(await quoting(toBob, "A")).toBeNull();
  expect(await quoting(toGroup, "A")).toBeNull();
  expect(await quoting(toBob, "G")).toBeNull();
  expect(await quoting(toAda, "never seen")).toBeNull();
});

test("a person is quoted by LID where the number is answered, once the two are known to be one", async () => {
  await received("L", { from: ADA_LID }, "hello");
  expect(await quoting(toAda, "L")).toBeNull();
  await h.session.transactions.set({
    "lid-mapping": { "900491700000001_reverse": "491700000001" },
  });
  expect(await quoting(toAda, "L")).toMatchObject({ stanzaId: "L", participant: ADA_LID });
});

test("the own chat is one, by number and by LID", async () => {
  await received("S", { from: "900015550001000:1@lid" }, "a note to myself");
  expect(await quoting(toSelf, "S")).toMatchObject({ stanzaId: "S" });
  expect(await quoting(toAda, "S")).toBeNull();
});

test("a reaction names the message as its writer's phone does", async () => {
  await received("A", { from: "491700000001:3@s.whatsapp.net" }, null);
  await received("G", { from: GROUP, participant: "900491700000001:3@lid" }, null);
  await received("OWN", { from: GROUP, participant: "15550001000:3@s.whatsapp.net" }, null);
  await received("S", { from: "15550001000:3@s.whatsapp.net", recipient: SELF }, null);
  expect(await reacting(toAda, "A")).toEqual({ remoteJid: ADA, id: "A", fromMe: false });
  expect(await reacting(toGroup, "G")).toEqual({
    ...{ remoteJid: GROUP, id: "G", fromMe: false },
    participant: ADA_LID,
  });
  expect(await reacting(toGroup, "OWN")).toMatchObject({ fromMe: true });
  expect(await reacting(toSelf, "S")).toEqual({ remoteJid: SELF, id: "S", fromMe: true });
  expect(await reacting(toAda, "unknown")).toEqual({
    ...{ remoteJid: ADA, id: "unknown", fromMe: false },
  });
});

test("an id of another chat names nobody of that chat", async () => {
  await received("A", { from: ADA }, null);
  await received("G", { from: GROUP, participant: ADA }, null);
  expect(await reacting(toAda, "G")).toEqual({ remoteJid: ADA, id: "G", fromMe: false });
  expect(await reacting(toGroup, "A")).toEqual({ remoteJid: GROUP, id: "A", fromMe: false });
});

test("what we sent ourselves is ours, also where somebody came with the same id", async () => {
  const id = messageIdOf("ours");
  await h.send(delivery(toGroup, "hello", "ours"));
  await received(id, { from: GROUP, participant: BOB }, "not mine");
  expect(await reacting(toGroup, id)).toEqual({ remoteJid: GROUP, id, fromMe: true });
});

test("an edit and a revocation say so on the stanza, and are of our own message", async () => {
  const { MESSAGE_EDIT, REVOKE } = proto.Message.ProtocolMessage.Type;
  const key = { remoteJid: ADA, id: "T", fromMe: true };
  const edit = await sent(toAda, { kind: "edit", targetId: "T", text: "new" });
  expect(edit.protocolMessage).toMatchObject({
    ...{ key, type: MESSAGE_EDIT },
    editedMessage: { conversation: "new" },
  });
  const revoke = await sent(toAda, { kind: "revoke", targetId: "T" });
  expect(revoke.protocolMessage).toMatchObject({ key: { ...key }, type: REVOKE });
  expect(h.relayed.map(({ attributes }) => attributes)).toEqual([{ edit: "1" }, { edit: "7" }]);
});
