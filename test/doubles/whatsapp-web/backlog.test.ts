import { afterEach, expect, test } from "bun:test";
import { type Fixture, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test("what comes while the client is away is delivered at its next login", async () => {
  f = await fixture();
  await f.client.close();
  await f.ada.send(f.owner, "one");
  await f.ada.send(f.owner, "two");
  await f.bob.send(f.owner, "three");
  await f.client.login();
  for (const text of ["one", "two", "three"]) {
    const { type } = await f.client.received(text);
    expect(type).toBe("append");
  }
  await f.client.updates.waitFor((update) => update.receivedPendingNotifications === true);
});

test("a message the client never acknowledged comes again", async () => {
  f = await fixture();
  f.wa.fault({ at: "in:receipt", do: "cut" });
  const { id } = await f.ada.send(f.owner, "keep me");
  await f.client.received("keep me");
  await f.client.closed();
  const [companion] = f.owner.companions;
  expect(companion?.mailbox.ids()).toContain(id);
  await f.client.login();
  const settled = await companion?.mailbox.settled.waitFor((entry) => entry.id === id);
  // Its key is used up: without a journal Baileys refuses the repetition.
  expect(settled?.error).toBe("487");
});

test("a message the client never saw comes again and is read", async () => {
  f = await fixture();
  f.wa.fault({ at: "out:message", do: "swallow" });
  await f.ada.send(f.owner, "lost on the way");
  f.wa.cutAll();
  await f.client.closed();
  await f.client.login();
  await f.client.received("lost on the way");
});

test("a lost ack leaves the client unsure; a repetition is dropped by the phone", async () => {
  f = await fixture();
  f.wa.fault({ at: "out:ack:message", do: "swallow" });
  const id = await f.client.sendText(f.ada.jid, "once");
  await f.ada.waitForMessage("once");
  expect(f.client.acks.count).toBe(0);
  await f.client.login();
  await f.client.sendText(f.ada.jid, "once", id);
  await f.ada.duplicates.waitFor((duplicate) => duplicate === id);
  await f.client.acks.waitFor((ack) => ack.id === id && ack.error === undefined);
  expect(f.ada.inbox.count).toBe(1);
});

test("a stanza delivered twice reaches the client twice", async () => {
  f = await fixture();
  f.wa.fault({ at: "out:message", do: "duplicate" });
  await f.ada.send(f.owner, "twin");
  await f.client.received("twin");
  await f.wa.clientAcks.waitFor((ack) => ack.class === "message" && ack.error === "487");
});
