import { afterEach, beforeEach, expect, test } from "bun:test";
import { Harness } from "./harness.ts";

let h: Harness;
beforeEach(async () => {
  h = await Harness.linked();
  h.wa.lidsOnly = true;
});
afterEach(() => h.stop());

test("who wrote is answered where WhatsApp takes no message to a number; on one's own phone it shows as well", async () => {
  await h.ada.send(h.owner, "hello", { as: "lid" });
  const { sender } = await h.message("hello");
  const recipient = { kind: "direct", ...sender } as const;
  const delivery = { ...h.delivery(h.ada, "hello yourself"), recipient };
  const sent = await h.channel.send(delivery, AbortSignal.timeout(20_000));
  expect(sent).toMatchObject({ ok: true });
  await h.ada.waitForMessage("hello yourself");
  await h.owner.waitForMessage("hello yourself");
});

test("so is who never wrote and is known by number alone, and oneself", async () => {
  expect(await h.send(h.bob, "first word")).toMatchObject({ ok: true });
  await h.bob.waitForMessage("first word");
  const note = { ...h.delivery(h.owner, "note"), recipient: { kind: "self" } as const };
  expect(await h.channel.send(note, AbortSignal.timeout(20_000))).toMatchObject({ ok: true });
  await h.owner.waitForMessage("note");
});

test("to oneself each device gets one copy, however often that is", async () => {
  h.owner.addDevice();
  for (const text of ["one", "two", "three"]) {
    const note = { ...h.delivery(h.owner, text), recipient: { kind: "self" } as const };
    expect(await h.channel.send(note, AbortSignal.timeout(20_000))).toMatchObject({ ok: true });
    await h.owner.waitForMessage(text);
  }
  expect(h.wa.clientMessages.all.map(({ copies }) => copies)).toEqual([2, 2, 2]);
});

test("in a group the device that sends gets none", async () => {
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  const hello = {
    ...h.delivery(h.ada, "hello"),
    recipient: { kind: "group", id: group.jid } as const,
  };
  expect(await h.channel.send(hello, AbortSignal.timeout(20_000))).toMatchObject({ ok: true });
  for (const phone of [h.owner, h.ada, h.bob]) await phone.waitForMessage("hello");
  expect(h.wa.clientMessages.all.map(({ copies }) => copies)).toEqual([3]);
});

test("who trusted the account before the link is shown that, and needs no look-up", async () => {
  const fresh = await Harness.start();
  try {
    const { owner, ada, wa } = fresh;
    owner.history = { contacts: [ada], trust: new Map([[ada, Buffer.from("trust")]]) };
    await fresh.run();
    await fresh.link();
    await fresh.events.waitFor((one) => one.kind === "identity" && one.sender.lid === ada.lid);
    expect(await fresh.send(ada, "hello again")).toMatchObject({ ok: true });
    expect(wa.clientMessages.all.map(({ to, token }) => [to, token])).toEqual([[ada.lid, "trust"]]);
  } finally {
    await fresh.stop();
  }
});
