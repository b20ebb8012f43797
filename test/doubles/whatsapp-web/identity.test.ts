import { afterEach, expect, test } from "bun:test";
import { type Fixture, failure, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test.each([
  ["phone number, LID beside it", { as: "pn", alt: true }],
  ["phone number alone", { as: "pn", alt: false }],
  ["LID, phone number beside it", { as: "lid", alt: true }],
  ["LID alone", { as: "lid", alt: false }],
] as const)("a sender known by %s", async (_, { as, alt }) => {
  f = await fixture();
  await f.ada.send(f.owner, "who am I", { as, alt });
  const { key } = (await f.client.received("who am I")).message;
  const [shown, other] = as === "pn" ? [f.ada.jid, f.ada.lid] : [f.ada.lid, f.ada.jid];
  expect(key.remoteJid).toBe(shown);
  expect(key.remoteJidAlt).toBe(alt ? other : undefined);
  await f.client.sendText(shown, "I see");
  const answer = await f.ada.waitForMessage("I see");
  expect(answer.chat).toBe(f.owner.number);
  await f.ada.send(f.owner, "good", { as, alt });
  await f.client.received("good");
  expect(f.ada.undecryptable.count).toBe(0);
});

test("one sender shown by number, then by LID, keeps one session", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "first", { as: "pn" });
  await f.client.received("first");
  await f.ada.send(f.owner, "second", { as: "lid" });
  await f.client.received("second");
  await f.client.sendText(f.ada.lid, "to the LID");
  await f.ada.waitForMessage("to the LID");
  await f.client.sendText(f.ada.jid, "to the number");
  await f.ada.waitForMessage("to the number");
  expect(f.wa.retriesAsked.count).toBe(0);
});

test("both sides write first at the same time", async () => {
  f = await fixture();
  await Promise.all([
    f.ada.send(f.owner, "from Ada"),
    f.client.sendText(f.ada.jid, "from the client"),
  ]);
  await f.client.received("from Ada");
  await f.ada.waitForMessage("from the client");
  for (const round of ["1", "2", "3"]) {
    await f.ada.send(f.owner, `a${round}`);
    await f.client.received(`a${round}`);
    await f.client.sendText(f.ada.jid, `c${round}`);
    await f.ada.waitForMessage(`c${round}`);
  }
});

test("a contact with a second device reads on both", async () => {
  f = await fixture();
  const tablet = f.ada.addDevice();
  await f.client.sendText(f.ada.jid, "everywhere");
  await f.ada.waitForMessage("everywhere");
  await tablet.inbox.waitFor((message) => message.text === "everywhere");
  await f.ada.send(f.owner, "from the tablet", { device: tablet.id });
  const { message } = await f.client.received("from the tablet");
  expect(message.key.remoteJid).toContain(f.ada.number);
});

test("the owner writes on the phone: the client learns it as fromMe", async () => {
  f = await fixture();
  await f.owner.send(f.ada, "typed on the phone");
  const { key } = (await f.client.received("typed on the phone")).message;
  expect(key.fromMe).toBe(true);
  expect(key.remoteJid).toBe(f.ada.jid);
  const plain = await f.ada.waitForMessage("typed on the phone");
  expect(plain.encryption).toBe("plain");
});

test("the owner writes to the chat with themself, and the client answers there", async () => {
  f = await fixture();
  await f.owner.send(f.owner, "note to self");
  const { key } = (await f.client.received("note to self")).message;
  expect(key.fromMe).toBe(true);
  expect(key.remoteJid).toBe(f.owner.jid);
  await f.client.sendText(f.owner.jid, "noted");
  const answer = await f.owner.waitForMessage("noted");
  expect(answer.chat).toBe(f.owner.number);
  expect(answer.fromOwnAccount).toBe(true);
});

test("numbers are looked up", async () => {
  f = await fixture();
  const found = await f.client.sock.onWhatsApp(f.ada.number, "10000000000");
  expect(found).toEqual([{ jid: f.ada.jid, exists: true }]);
});

test("a contact adds a device: the next message reaches it as well", async () => {
  f = await fixture();
  await f.client.sendText(f.ada.jid, "to one");
  await f.ada.waitForMessage("to one");
  const tablet = f.ada.addDevice();
  await f.wa.clientAcks.waitFor((ack) => ack.class === "notification");
  await f.client.sendText(f.ada.jid, "to both");
  await tablet.inbox.waitFor((message) => message.text === "to both");
});

test("a contact installs WhatsApp anew: both sides go on", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "old phone");
  await f.client.received("old phone");
  await f.client.sendText(f.ada.jid, "to the old phone");
  await f.ada.waitForMessage("to the old phone");
  f.ada.reinstall();
  await f.ada.send(f.owner, "new phone");
  await f.client.received("new phone");
  await f.client.sendText(f.ada.jid, "to the new phone");
  await f.ada.waitForMessage("to the new phone");
});

test("a number whose LID is not disclosed can be answered, not written to first", async () => {
  f = await fixture();
  f.ada.account.lidDisclosed = false;
  f.bob.account.lidDisclosed = false;
  await f.ada.send(f.owner, "just my number", { alt: false });
  await f.client.received("just my number");
  await f.client.sendText(f.ada.jid, "fine");
  await f.ada.waitForMessage("fine");
  expect(await failure(f.client.sendText(f.bob.jid, "hello"))).toContain("All encryptions failed");
});
