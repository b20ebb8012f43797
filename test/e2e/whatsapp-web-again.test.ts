import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { NotAccepted } from "../../src/channels/channel.ts";
import { Harness } from "../channels/whatsapp-web/harness.ts";

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
