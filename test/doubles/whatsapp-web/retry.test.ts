import { afterEach, expect, test } from "bun:test";
import { type Fixture, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test("the client asks again for what it cannot read, and gets it", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "fine");
  await f.client.received("fine");
  const { id } = await f.ada.send(f.owner, "damaged", { garbled: true });
  await f.client.received("damaged");
  const [receipt] = f.wa.clientReceipts.all.filter(({ type }) => type === "retry");
  expect(receipt?.id).toBe(id);
});

test("the very first message can be damaged too", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "damaged", { garbled: true });
  await f.client.received("damaged");
});

test("a phone that lost its session asks again, and gets the message", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "before");
  await f.client.received("before");
  const [companion] = f.owner.companions;
  if (!companion) throw new Error("not linked");
  await f.client.sendText(f.ada.jid, "warm");
  await f.ada.waitForMessage("warm");
  f.ada.forgetSession(companion);
  await f.client.sendText(f.ada.jid, "can you read this?");
  await f.ada.waitForMessage("can you read this?");
  expect(f.ada.undecryptable.count).toBeGreaterThan(0);
  expect(f.wa.retriesAsked.all[0]?.by).toBe(f.ada.main.address);
});

test("a garbled group message is sent again to the client alone", async () => {
  f = await fixture();
  const group = f.wa.addGroup({ subject: "Team", members: [f.ada, f.bob, f.owner] });
  await f.ada.send(group, "damaged", { garbled: true });
  await f.client.received("damaged");
});

test("pre-keys are used up, asked for and uploaded again", async () => {
  f = await fixture();
  const [companion] = f.owner.companions;
  if (!companion) throw new Error("not linked");
  companion.preKeys.splice(5);
  await f.ada.send(f.owner, "uses the fifth");
  await f.client.received("uses the fifth");
  await companion.mailbox.settled.waitFor(({ tag }) => tag === "notification");
  expect(companion.preKeys.length).toBeGreaterThan(4);
  await f.client.sock.rotateSignedPreKey();
  expect(companion.rotations).toBe(1);
  await f.bob.send(f.owner, "under the rotated key");
  await f.client.received("under the rotated key");
});
