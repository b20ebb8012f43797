import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { TurnFocus } from "../../src/channels/channel.ts";
import type { Message } from "../../src/channels/message.ts";
import { Harness, PATIENCE_MS } from "../channels/whatsapp-web/harness.ts";
import type { Phone } from "../doubles/whatsapp-web/phone.ts";
import { now, stanza } from "../doubles/whatsapp-web/stanza.ts";

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

const ADA = "+491700000001";

function focusOn(message: Message): TurnFocus {
  const { phone, userId, lid } = message.sender;
  return {
    chat: { kind: "direct", id: phone ?? lid ?? "" },
    recipient: { kind: "direct", phone, userId, lid },
    messages: [{ id: message.id, sender: { phone, userId, lid } }],
  };
}

test("a person is one sender, by number, by LID with the number beside it, and by LID alone", async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "by number", { as: "pn", alt: false });
  await h.ada.send(h.owner, "both", { as: "lid", alt: true });
  await h.ada.send(h.owner, "by LID alone", { as: "lid", alt: false });
  const senders = await Promise.all(
    ["by number", "both", "by LID alone"].map(async (text) => (await h.message(text)).sender),
  );
  expect(senders.map(({ phone }) => phone)).toEqual([ADA, ADA, ADA]);
  expect(senders[2]?.lid).toBe(h.ada.lid);
  const identity = await h.events.waitFor(
    (event) => event.kind === "identity" && event.sender.phone === ADA,
  );
  expect(identity).toMatchObject({ sender: { lid: h.ada.lid } });
});

test("a LID whose number nobody knows is answered under the LID", async () => {
  h = await Harness.linked();
  await h.bob.send(h.owner, "who am I", { as: "lid", alt: false });
  const { sender } = await h.message("who am I");
  expect(sender).toMatchObject({ phone: null, lid: h.bob.lid });
  const delivery = h.delivery(h.bob, "somebody");
  const recipient = { kind: "direct", phone: null, userId: null, lid: h.bob.lid } as const;
  const result = await h.channel.send({ ...delivery, recipient }, AbortSignal.timeout(PATIENCE_MS));
  expect(result.ok).toBe(true);
  await h.bob.waitForMessage("somebody");
});

test("where messages disappear, the answers do as well, however the person is addressed", async () => {
  h = await Harness.linked();
  const timed = (text: string, expiration: number) => ({
    raw: { extendedTextMessage: { text, contextInfo: { expiration } } },
  });
  await h.ada.send(h.owner, timed("for a day", 86_400), { as: "lid", alt: false });
  await h.message("for a day");
  await h.send(h.ada, "gone tomorrow");
  await h.ada.send(h.owner, "for ever");
  await h.message("for ever");
  await h.send(h.ada, "stays");
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  await h.bob.send(group, timed("for a week", 604_800));
  const { chat } = await h.message("for a week");
  const recipient = { kind: "group", id: group.jid } as const;
  const delivery = { ...h.delivery(h.bob, "gone next week"), chat: { ...recipient }, recipient };
  await h.channel.send(delivery, AbortSignal.timeout(PATIENCE_MS));
  expect(chat.kind).toBe("group");
  const texts = ["gone tomorrow", "stays", "gone next week"];
  const read = await Promise.all(texts.map((text) => h.ada.waitForMessage(text)));
  expect(
    read.map(({ content }) => content.extendedTextMessage?.contextInfo?.expiration ?? 0),
  ).toEqual([86_400, 0, 604_800]);
});

test("groups: who wrote, where, and an answer all members read", async () => {
  h = await Harness.linked();
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  await h.ada.send(group, "hello all");
  await h.ada.send(group, "and again");
  const message = await h.message("hello all");
  await h.message("and again");
  expect(message.chat).toEqual({ kind: "group", id: group.jid });
  expect(message.sender).toMatchObject({ phone: ADA, lid: h.ada.lid });
  const delivery = h.delivery(h.ada, { kind: "text", text: "hello Ada", quote: message.id });
  const result = await h.channel.send(
    {
      ...delivery,
      chat: { kind: "group", id: group.jid },
      recipient: { kind: "group", id: group.jid },
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
  expect(result.ok).toBe(true);
  const [ada] = await Promise.all([
    h.ada.waitForMessage("hello Ada"),
    h.bob.waitForMessage("hello Ada"),
  ]);
  expect(ada.content.extendedTextMessage?.contextInfo?.stanzaId).toBe(message.id);
  expect(ada.content.extendedTextMessage?.contextInfo?.quotedMessage?.conversation).toBe(
    "hello all",
  );
  expect(h.wa.retriesAsked.count).toBe(0);
});

test("what is quoted is shown to those whose chat it is from, however addressed, and to nobody else", async () => {
  h = await Harness.linked();
  const quoted = async (to: Phone, id: string) => {
    const text = `about ${id} to ${to.number}`;
    const person = { phone: `+${to.number}`, userId: null, lid: to.lid };
    const delivery = {
      ...h.delivery(to, { kind: "text", text, quote: id }),
      recipient: { kind: "direct", ...person } as const,
    };
    expect((await h.channel.send(delivery, AbortSignal.timeout(PATIENCE_MS))).ok).toBe(true);
    const received = await to.waitForMessage(text);
    return received.content.extendedTextMessage?.contextInfo?.quotedMessage?.conversation ?? null;
  };
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  await h.ada.send(h.owner, "by number", { as: "pn", alt: false });
  await h.ada.send(h.owner, "by LID alone", { as: "lid", alt: false });
  await h.ada.send(group, "to the team");
  for (const text of ["by number", "by LID alone"]) {
    const { id } = await h.message(text);
    expect(await quoted(h.ada, id)).toBe(text);
    expect(await quoted(h.bob, id)).toBeNull();
  }
  const { id } = await h.message("to the team");
  expect(await quoted(h.ada, id)).toBeNull();
});

test("reactions, edits and revokes, both ways", async () => {
  h = await Harness.linked();
  const { id } = await h.ada.send(h.owner, "first");
  await h.message("first");
  const mine = { id, chat: h.owner.jid, mine: true };
  await h.ada.send(h.owner, { edit: mine, text: "first, edited" });
  expect(await h.events.waitFor((event) => event.kind === "edit")).toMatchObject({
    targetId: id,
    text: "first, edited",
    sender: { phone: ADA },
  });
  await h.ada.send(h.owner, { revoke: mine });
  expect(await h.events.waitFor((event) => event.kind === "revoke")).toMatchObject({
    targetId: id,
  });

  const sent = await h.send(h.ada, "ours");
  const ours = sent.ok ? (sent.platformId ?? "") : "";
  await h.ada.waitForMessage("ours");
  await h.ada.send(h.owner, {
    reaction: "👍",
    about: { id: ours, chat: h.owner.jid, mine: false },
  });
  expect(await h.events.waitFor((event) => event.kind === "reaction")).toMatchObject({
    targetId: ours,
    emoji: "👍",
  });

  expect(await h.send(h.ada, { kind: "reaction", targetId: id, emoji: "❤" })).toMatchObject({
    ok: true,
  });
  const reaction = await h.ada.waitForMessage(({ kind }) => kind === "reaction");
  expect(reaction.content.reactionMessage).toMatchObject({ text: "❤", key: { id, fromMe: false } });
  expect(await h.send(h.ada, { kind: "edit", targetId: ours, text: "ours, edited" })).toMatchObject(
    { ok: true },
  );
  const edit = await h.ada.waitForMessage(({ kind }) => kind === "edit");
  expect(edit.content.protocolMessage?.key).toMatchObject({ id: ours, fromMe: true });
  expect(await h.send(h.ada, { kind: "revoke", targetId: ours })).toMatchObject({ ok: true });
  await h.ada.waitForMessage(({ kind }) => kind === "revoke");
});

test("a reaction names the message as its writer's phone does: no device, and in the own chat from me", async () => {
  h = await Harness.linked();
  const group = h.wa.addGroup({ subject: "Friends", members: [h.owner, h.ada] });
  const tablet = h.ada.addDevice();
  const { id } = await h.ada.send(group, "from the tablet", { device: tablet.id });
  await h.message("from the tablet");
  const react = (targetId: string) => ({ kind: "reaction", targetId, emoji: "👍" }) as const;
  await h.channel.send(
    {
      ...h.delivery(h.ada, react(id)),
      recipient: { kind: "group", id: group.jid },
    },
    AbortSignal.timeout(PATIENCE_MS),
  );
  const inGroup = await h.ada.waitForMessage(({ kind }) => kind === "reaction");
  const { participant } = inGroup.content.reactionMessage?.key ?? {};
  expect(participant).toBe(h.ada.lid);

  const note = await h.owner.send(h.owner, "note");
  await h.message("note");
  await h.channel.send(
    { ...h.delivery(h.owner, react(note.id)), recipient: { kind: "self" } },
    AbortSignal.timeout(PATIENCE_MS),
  );
  const toSelf = await h.owner.waitForMessage(
    ({ content }) => content.reactionMessage?.key?.id === note.id,
  );
  expect(toSelf.content.reactionMessage?.key?.fromMe).toBe(true);
});

test("what the owner types is from me; the chat with oneself is known; our own echo is not heard", async () => {
  h = await Harness.linked();
  await h.owner.send(h.ada, "typed by the owner");
  const typed = await h.message("typed by the owner");
  expect(typed).toMatchObject({ fromMe: true, chat: { kind: "direct" } });
  expect(typed.sender.phone).toBe("+15550001000");
  await h.owner.send(h.owner, "note to self");
  expect(await h.message("note to self")).toMatchObject({ fromMe: true, chat: { kind: "self" } });

  const delivery = h.delivery(h.owner, "answer to self");
  const self = { ...delivery, chat: { kind: "self", id: "+15550001000" } as const };
  const result = await h.channel.send(
    { ...self, recipient: { kind: "self" } },
    AbortSignal.timeout(PATIENCE_MS),
  );
  expect(result.ok).toBe(true);
  await h.owner.waitForMessage("answer to self");
  const id = result.ok ? (result.platformId ?? "") : "";
  await h.owner.send(h.owner, "answer to self", { id });
  await h.events.waitFor((event) => event.kind === "ignored" && event.reason === "own_echo");
  expect(h.messages().some(({ text }) => text === "answer to self")).toBe(false);
});

test("mentions of and replies to the linked account are told apart from others", async () => {
  h = await Harness.linked();
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  const mention = (text: string, jid: string) => ({
    raw: { extendedTextMessage: { text, contextInfo: { mentionedJid: [jid] } } },
  });
  await h.ada.send(group, mention("hey you", h.owner.lid));
  await h.ada.send(group, mention("hey Bob", h.bob.lid));
  expect((await h.message("hey you")).mentionsMe).toBe(true);
  expect((await h.message("hey Bob")).mentionsMe).toBe(false);
});

test("read receipts and typing while a turn works, withdrawn at its end", async () => {
  h = await Harness.linked();
  const { id } = await h.ada.send(h.owner, "a question");
  const message = await h.message("a question");
  h.channel.turnStarted(focusOn(message));
  await h.ada.chatStates.waitFor(({ state }) => state === "composing");
  const receipt = await h.wa.clientReceipts.waitFor(({ type }) => type === "read");
  expect(receipt.id).toBe(id);
  h.channel.turnEnded(focusOn(message));
  await h.ada.chatStates.waitFor(({ state }) => state === "paused");
});

test("receipts of what was sent come as statuses that name the delivery", async () => {
  h = await Harness.linked();
  const result = await h.send(h.ada, "did you read this", "delivery-7");
  const received = await h.ada.waitForMessage("did you read this");
  await h.events.waitFor((event) => event.kind === "status" && event.status.state === "delivered");
  h.ada.markRead(received);
  const read = await h.events.waitFor(
    (event) => event.kind === "status" && event.status.state === "read",
  );
  expect(read).toMatchObject({
    status: { deliveryId: "delivery-7", platformId: result.ok ? result.platformId : "" },
  });
});

test("a call that names no id costs nothing", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  const offer = stanza("offer", { type: "group", from: h.ada.jid });
  companion?.deliver(stanza("call", { from: h.ada.jid, id: "C1", t: now() }, [offer]));
  await h.events.waitFor((event) => event.kind === "ignored" && event.reason === "call");
  await h.ada.send(h.owner, "still there?");
  await h.message("still there?");
});
