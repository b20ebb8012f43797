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
