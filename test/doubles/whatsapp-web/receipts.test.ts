import { afterEach, expect, test } from "bun:test";
import { type Fixture, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test("a phone is told that its message arrived and was read", async () => {
  f = await fixture();
  const { id } = await f.ada.send(f.owner, "seen?");
  const { message } = await f.client.received("seen?");
  await f.ada.receipts.waitFor((receipt) => receipt.id === id && receipt.type === "inactive");
  await f.client.sock.readMessages([message.key]);
  await f.ada.receipts.waitFor((receipt) => receipt.id === id && receipt.type === "read");
});

test("with read receipts switched off the phone sees read-self alone", async () => {
  f = await fixture();
  f.wa.readReceipts = "none";
  const client = f.client;
  await client.login();
  const { id } = await f.ada.send(f.owner, "secret");
  const { message } = await client.received("secret");
  await client.sock.readMessages([message.key]);
  await f.ada.receipts.waitFor((receipt) => receipt.id === id && receipt.type === "read-self");
});

test("the client is told that its message arrived, was read and played", async () => {
  f = await fixture();
  const sock = f.client.sock;
  const seen: string[] = [];
  const played = new Promise<void>((resolve) =>
    sock.ws.on("CB:receipt", ({ attrs }: { attrs: Record<string, string> }) => {
      seen.push(attrs.type ?? "delivered");
      if (attrs.type === "played") resolve();
    }),
  );
  const id = await f.client.sendText(f.ada.jid, "news");
  const message = await f.ada.waitForMessage("news");
  f.ada.markRead(message);
  f.ada.markRead(message, "played");
  await played;
  expect(message.id).toBe(id);
  expect(seen).toEqual(["delivered", "read", "played"]);
});

test("chat states and presence are seen on both sides", async () => {
  f = await fixture();
  f.client.creds.me = { ...f.client.creds.me, id: f.client.creds.me?.id ?? "", name: "Revka" };
  for (const state of ["composing", "recording", "paused"] as const) {
    await f.client.sock.sendPresenceUpdate(state, f.ada.jid);
    await f.ada.chatStates.waitFor((seen) => seen.state === state);
  }
  await f.client.sock.sendPresenceUpdate("unavailable");
  await f.owner.companions[0]?.presences.waitFor((type) => type === "unavailable");
  const typing = new Promise((resolve) => f.client.sock.ev.on("presence.update", resolve));
  f.ada.typing(f.owner);
  expect(await typing).toMatchObject({ id: f.ada.jid });
});

test("reactions, quotes, edits and revokes", async () => {
  f = await fixture();
  const { sock } = f.client;
  const { id: question } = await f.ada.send(f.owner, "question");
  const { message } = await f.client.received("question");
  await sock.sendMessage(f.ada.jid, { text: "answer" }, { quoted: message });
  expect((await f.ada.waitForMessage("answer")).about).toBe(question);
  await sock.sendMessage(f.ada.jid, { react: { text: "👍", key: message.key } });
  const reaction = await f.ada.waitForMessage((received) => received.kind === "reaction");
  expect([reaction.text, reaction.about]).toEqual(["👍", question]);

  const sent = await sock.sendMessage(f.ada.jid, { text: "tpyo" });
  const key = { remoteJid: f.ada.jid, fromMe: true, id: sent?.key.id ?? "" };
  await sock.sendMessage(f.ada.jid, { text: "typo", edit: key });
  const edit = await f.ada.waitForMessage((received) => received.kind === "edit");
  expect([edit.text, edit.about]).toEqual(["typo", key.id]);
  await sock.sendMessage(f.ada.jid, { delete: key });
  const revoke = await f.ada.waitForMessage((received) => received.kind === "revoke");
  expect(revoke.about).toBe(key.id);

  const about = { id: key.id, chat: f.owner.jid, mine: false };
  await f.ada.send(f.owner, { reaction: "❤️", about });
  const heart = await f.client.upserts.waitFor(({ message }) =>
    Boolean(message.message?.reactionMessage && !message.key.fromMe),
  );
  expect(heart.message.message?.reactionMessage?.key?.id).toBe(key.id);
  const mine = { id: question, chat: f.owner.jid, mine: true };
  await f.ada.send(f.owner, { edit: mine, text: "better question" });
  await f.client.upserts.waitFor(({ message }) =>
    Boolean(message.message?.protocolMessage?.editedMessage && !message.key.fromMe),
  );
  await f.ada.send(f.owner, { revoke: mine });
  await f.client.upserts.waitFor(
    ({ message }) => !message.key.fromMe && message.message?.protocolMessage?.type === 0,
  );
});
