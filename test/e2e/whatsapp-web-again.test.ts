import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { NotAccepted } from "../../src/channels/channel.ts";
import type { SendResult } from "../../src/channels/message.ts";
import { peerOf } from "../doubles/whatsapp-web/phone-device.ts";
import { Harness, PATIENCE_MS } from "../channels/whatsapp-web/harness.ts";

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

test("a store that refuses gets the messages again, in order, and none twice once it took them", async () => {
  let refusals = 2;
  h = await Harness.linked({
    admit: (events) => {
      if (events.some(({ kind }) => kind === "message") && refusals-- > 0) {
        throw new NotAccepted("store", 0, "the disk is full");
      }
    },
  });
  for (const text of ["one", "two", "three"]) await h.ada.send(h.owner, text);
  await h.message("three");
  expect(h.messages().map(({ text }) => text)).toEqual(["one", "two", "three"]);
  expect(refusals).toBeLessThan(0);
});

test("a chat with more than the inbox takes of one holds up no other", async () => {
  const { promise: taken, resolve: take } = Promise.withResolvers<string>();
  h = await Harness.linked({
    admit: (events) => {
      const texts = events.flatMap((event) =>
        event.kind === "message" ? [event.message.text] : [],
      );
      for (const text of texts) if (text.startsWith("Bob")) take(text);
      if (texts.some((text) => text.startsWith("Ada"))) {
        throw new NotAccepted("overloaded", 0, "too many messages are waiting");
      }
    },
  });
  for (let sent = 0; sent < 120; sent++) await h.ada.send(h.owner, `Ada ${sent}`);
  await h.bob.send(h.owner, "Bob");
  await h.bob.receipts.waitFor();
  expect(await taken).toBe("Bob");
});

test("a message that a phone could not read is sent to it again", async () => {
  h = await Harness.linked();
  await h.send(h.ada, "before");
  await h.ada.waitForMessage("before");
  const [companion] = h.owner.companions;
  if (companion) h.ada.forgetSession(companion);
  await h.send(h.ada, "after the loss");
  await h.ada.waitForMessage("after the loss");
  expect(h.wa.retriesAsked.count).toBeGreaterThan(0);
});

test("a copy that the account's own phone could not read is sent to it again", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  if (companion) h.owner.forgetSession(companion);
  await h.send(h.ada, "to Ada");
  const copy = await h.owner.waitForMessage("to Ada");
  expect(copy).toMatchObject({ fromOwnAccount: true, chat: h.ada.number });
});

test("a group's member who has lost all keys gets the message again, with a sender key", async () => {
  h = await Harness.linked();
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  const recipient = { kind: "group", id: group.jid } as const;
  const send = (text: string) =>
    h.channel.send({ ...h.delivery(h.ada, text), recipient }, AbortSignal.timeout(PATIENCE_MS));
  await send("before");
  await h.bob.waitForMessage("before");
  h.bob.main.reset();
  await send("after the loss");
  await h.bob.waitForMessage("after the loss");
});

describe("an edit and a withdrawal that could not be read come again as such", () => {
  const idOf = (sent: SendResult) => (sent.ok ? (sent.platformId ?? "") : "");
  const changes = (targetId: string) =>
    [
      [{ kind: "edit", targetId, text: "the answer" }, "1"],
      [{ kind: "revoke", targetId }, "7"],
    ] as const;

  test("to the phone, under the same LID", async () => {
    h = await Harness.linked();
    const targetId = idOf(await h.send(h.ada, "teh answer"));
    await h.ada.waitForMessage("teh answer");
    const [companion] = h.owner.companions;
    for (const [content, edit] of changes(targetId)) {
      if (companion) h.ada.forgetSession(companion);
      const id = idOf(await h.send(h.ada, content));
      await h.ada.inbox.waitFor((message) => message.id === id);
      const stanzas = h.wa.clientMessages.all.filter((message) => message.id === id);
      expect(stanzas.length).toBeGreaterThan(1);
      const alias = `${h.ada.number}@s.whatsapp.net`;
      for (const stanza of stanzas) expect(stanza).toMatchObject({ edit, alias });
    }
  });

  test("to another device, which gets it alone", async () => {
    h = await Harness.linked();
    const tablet = h.ada.addDevice();
    const targetId = idOf(await h.send(h.ada, "teh answer"));
    await tablet.inbox.waitFor(({ text }) => text === "teh answer");
    const [companion] = h.owner.companions;
    for (const [content, edit] of changes(targetId)) {
      if (companion) tablet.signal.forget(peerOf(companion));
      const id = idOf(await h.send(h.ada, content));
      await tablet.inbox.waitFor((message) => message.id === id);
      const [, ...again] = h.wa.clientMessages.all.filter((message) => message.id === id);
      expect(again).toMatchObject([{ edit, recipients: 1 }]);
    }
  });
});

test("what somebody wrote is sent to nobody as ours, whoever asks for it again", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  if (!companion) throw new Error("not linked");
  const { id } = await h.ada.send(h.owner, "I owe Ada everything");
  await h.message("I owe Ada everything");
  h.ada.askAgain(companion, id);
  await h.wa.clientAcks.waitFor((ack) => ack.class === "receipt" && ack.id === id);
  await h.send(h.ada, "our own words");
  await h.ada.waitForMessage("our own words");
  expect(h.ada.inbox.all.map(({ text }) => text)).toEqual(["our own words"]);
});

test("a message is sent again to nobody but whom it was for, however they are addressed", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  if (!companion) throw new Error("not linked");
  const sent = await h.send(h.ada, "for Ada alone");
  const id = sent.ok ? (sent.platformId ?? "") : "";
  await h.ada.waitForMessage("for Ada alone");
  await h.send(h.bob, "for Bob");
  h.bob.askAgain(companion, id);
  // The first is of Ada's own receipt.
  await h.wa.clientAcks.waitForCount(2, (ack) => ack.class === "receipt" && ack.id === id);
  expect(h.wa.clientMessages.all.filter((message) => message.id === id)).toHaveLength(1);
  for (const addressing of ["pn", "lid"] as const) {
    h.wa.clientMessages.clear();
    h.ada.addressing = addressing;
    h.ada.askAgain(companion, id);
    await h.wa.clientMessages.waitFor((message) => message.id === id);
  }
  expect(h.bob.inbox.all.map(({ text }) => text)).toEqual(["for Bob"]);
});

test("a message that cannot be read here is asked for again and arrives", async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "hello");
  await h.message("hello");
  await h.ada.send(h.owner, "garbled at first", { garbled: true });
  await h.message("garbled at first");
});

test("a message that comes twice is handed over once", async () => {
  h = await Harness.linked();
  h.wa.fault({ at: "out:message", do: "duplicate", times: 0 });
  await h.ada.send(h.owner, "twice");
  await h.ada.send(h.owner, "and another");
  await h.message("and another");
  expect(h.messages().map(({ text }) => text)).toEqual(["twice", "and another"]);
  expect(h.wa.retriesAsked.count).toBe(0);
  expect(h.ignored()).not.toContain("undecryptable");
});
