import { afterEach, describe, expect, test } from "bun:test";
import type { proto } from "@whiskeysockets/baileys";
import { NotAccepted } from "../../../src/channels/channel.ts";
import { deliverWithoutContent, sendAnswer } from "../../doubles/whatsapp-web/placeholder.ts";
import type { PhoneDevice } from "../../doubles/whatsapp-web/phone-device.ts";
import type { Received } from "../../doubles/whatsapp-web/received.ts";
import { now, stanza } from "../../doubles/whatsapp-web/stanza.ts";
import { Harness, heldClock } from "./harness.ts";

// Messages that come without their content, or that nobody here can read: the phone has them, and is asked for them.

/** Until the phone is asked anew, after a login. */
const FIRST_ROUND_MS = 12_000;
const ROUND_MS = 600_000;
const AN_HOUR_AGO = now() - 3600;
/** As what the owner writes to himself comes. */
const TO_ONESELF = {
  recipient: "15550001000@s.whatsapp.net",
  peer_recipient_lid: "900015550001000@lid",
};

let h: Harness;
afterEach(() => h.stop());

const clock = heldClock(FIRST_ROUND_MS, ROUND_MS);
const companion = () => h.owner.companions[0]!;
const requests = () => h.owner.inbox.all.filter(isRequest);

function isRequest({ content }: Received): boolean {
  return Boolean(content.protocolMessage?.peerDataOperationRequestMessage);
}

async function withoutContent(id: string): Promise<void> {
  const attributes = { from: h.ada.jid, sender_lid: h.ada.lid, id, t: AN_HOUR_AGO, notify: "Ada" };
  deliverWithoutContent(companion(), attributes);
  await settled(id);
}

async function unreadable(id: string): Promise<void> {
  const attrs = { from: h.ada.jid, sender_lid: h.ada.lid, id, t: AN_HOUR_AGO, type: "text" };
  const enc = stanza("enc", { v: 2, type: "msg" }, Buffer.from("nobody's ciphertext"));
  companion().deliver(stanza("message", attrs, [enc]));
  await settled(id);
}

async function settled(id: string): Promise<void> {
  await companion().mailbox.settled.waitFor((one) => one.id === id);
}

/** The key by which the client asks for a message, once it has done so this often. */
async function asked(times = 1): Promise<proto.IMessageKey> {
  await h.owner.inbox.waitFor(() => requests().length >= times, 20_000);
  const request = requests()[times - 1]?.content.protocolMessage?.peerDataOperationRequestMessage;
  return request?.placeholderMessageResendRequest?.[0]?.messageKey ?? {};
}

async function answer(
  key: proto.IMessageKey,
  device: PhoneDevice = h.owner.main,
  attributes?: Record<string, string>,
): Promise<void> {
  const info = { key, message: { conversation: `content of ${key.id}` }, messageTimestamp: now() };
  await settled(await sendAnswer(device, companion(), [info], attributes));
}

/** All that came before this has been handed over by now. */
async function nothingElse(text = "later"): Promise<void> {
  await h.ada.send(h.owner, text);
  await h.message(text);
}
const arrived = () => h.messages().map(({ text }) => text);

test("it arrives once the phone has sent it again, once, as the message it is", async () => {
  h = await Harness.linked({ clock });
  await withoutContent("M1");
  const key = await asked();
  expect(key).toMatchObject({ remoteJid: h.ada.jid, id: "M1", fromMe: false });
  await answer(key);
  expect(await h.message("content of M1")).toMatchObject({
    id: "M1",
    chat: { kind: "direct" },
    sender: { phone: `+${h.ada.number}`, lid: h.ada.lid, name: "Ada" },
    timestamp: AN_HOUR_AGO,
    fromMe: false,
    backlog: true,
  });
  await answer(key);
  await nothingElse();
  expect(arrived()).toEqual(["content of M1", "later"]);
  await h.restart();
  clock.elapse();
  await nothingElse("after a restart");
  expect(requests()).toHaveLength(1);
});

test("after a restart before the phone was asked, it is asked", async () => {
  h = await Harness.linked({ clock });
  await withoutContent("M1");
  await h.restart();
  expect(requests()).toEqual([]);
  clock.elapse();
  const key = await asked();
  expect(key).toMatchObject({ remoteJid: h.ada.jid, id: "M1", fromMe: false });
  await answer(key);
  expect((await h.message("content of M1")).timestamp).toBe(AN_HOUR_AGO);
});

test("after a restart between the answer and the handing over, it is handed over", async () => {
  let open = true;
  const admit = () => {
    if (!open) throw new NotAccepted("store", 0, "not now");
  };
  h = await Harness.linked({ clock, admit });
  await withoutContent("M1");
  const key = await asked();
  open = false;
  await answer(key);
  expect(companion().mailbox.ids()).toEqual([]);
  await h.channel.stop();
  open = true;
  await h.restart();
  expect((await h.message("content of M1")).sender.phone).toBe(`+${h.ada.number}`);
  await nothingElse();
  expect(arrived()).toEqual(["content of M1", "later"]);
});

test("a phone that does not answer is asked at growing pauses, over one connection and the next", async () => {
  h = await Harness.linked({ clock });
  await withoutContent("M1");
  await asked();
  clock.elapse();
  await asked(2);
  h.states.clear();
  h.wa.cutAll();
  await h.states.waitFor((state) => state === "connecting");
  await h.ready();
  for (let round = 0; round < 5; round++) {
    clock.elapse();
    await nothingElse(`round ${round}`);
  }
  expect(requests()).toHaveLength(2);
});

test("one that arrives by itself is asked for no more", async () => {
  h = await Harness.linked({ clock });
  await withoutContent("M1");
  await asked();
  await h.ada.send(h.owner, "by itself", { id: "M1" });
  await h.message("by itself");
  await nothingElse();
  await h.restart();
  clock.elapse();
  await nothingElse("after a restart");
  expect(requests()).toHaveLength(1);
});

test("what cannot be read, and its sender does not send again, the phone is asked for even after a restart", async () => {
  h = await Harness.linked({ clock });
  await unreadable("M1");
  await h.restart();
  expect(requests()).toEqual([]);
  clock.elapse();
  const key = await asked();
  expect(key).toMatchObject({ remoteJid: h.ada.jid, id: "M1", fromMe: false });
  await answer(key);
  expect(await h.message("content of M1")).toMatchObject({
    ...{ id: "M1", timestamp: AN_HOUR_AGO, backlog: true },
    sender: { phone: `+${h.ada.number}`, lid: h.ada.lid },
  });
  await nothingElse();
  expect(arrived()).toEqual(["content of M1", "later"]);
});

/** The phone is asked for the oldest message first: for nothing older than this one, then. */
async function askedFirstFor(id: string): Promise<void> {
  await unreadable(id);
  await h.restart();
  clock.elapse();
  expect(await asked()).toMatchObject({ id });
}

test("what its sender sends again, readable now, the phone is not asked for", async () => {
  h = await Harness.linked({ clock });
  await unreadable("M1");
  await h.ada.send(h.owner, "readable", { id: "M1" });
  await h.message("readable");
  await nothingElse();
  await askedFirstFor("M2");
});

test.each<[string, proto.IMessage]>([
  ["a pin", { pinInChatMessage: { key: { id: "X" }, type: 1 } }],
  ["a vote", { pollUpdateMessage: { pollCreationMessageKey: { id: "X" } } }],
  ["a timer", { protocolMessage: { type: 3, ephemeralExpiration: 86_400 } }],
])("nor where that is nothing to be answered: %s", async (_, raw) => {
  h = await Harness.linked({ clock });
  await unreadable("M1");
  await h.ada.send(h.owner, { raw }, { id: "M1" });
  await nothingElse();
  await askedFirstFor("M2");
});

test("but for the key to a group that came alone the phone is asked", async () => {
  h = await Harness.linked({ clock });
  await unreadable("M1");
  const raw = { senderKeyDistributionMessage: { groupId: "1@g.us" } };
  await h.ada.send(h.owner, { raw }, { id: "M1" });
  await nothingElse();
  await h.restart();
  clock.elapse();
  expect(await asked()).toMatchObject({ id: "M1" });
});

describe("nobody else's answer lets anything in:", () => {
  test.each<[string, () => PhoneDevice, Record<string, string> | undefined]>([
    ["a contact's", () => h.ada.main, undefined],
    ["a contact's, in no category", () => h.ada.main, {}],
    ["that of another linked device", () => h.owner.addDevice(), undefined],
    ["the phone's own, where it is a message like any other", () => h.owner.main, TO_ONESELF],
  ])("%s", async (_, device, attributes) => {
    h = await Harness.linked({ clock });
    await withoutContent("M1");
    const key = await asked();
    await answer(key, device(), attributes);
    await answer({ remoteJid: h.bob.jid, id: "M2", fromMe: false }, device(), attributes);
    await nothingElse();
    expect(arrived()).toEqual(["later"]);
    await answer(key);
    await h.message("content of M1");
  });
});

test("what no phone sends again is not asked for", async () => {
  h = await Harness.linked({ clock });
  const type = "view_once_unavailable_fanout";
  deliverWithoutContent(companion(), { from: h.ada.jid, id: "M1" }, { type });
  await settled("M1");
  await h.restart();
  clock.elapse();
  await nothingElse();
  expect(requests()).toEqual([]);
});
