import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { Harness } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

test("a phone links by QR code; text travels both ways; a restart needs no new link", async () => {
  h = await Harness.linked();
  expect(h.channel.status()).toEqual({ state: "ready", reason: null, linkedAs: "+15550001000" });
  await h.ada.send(h.owner, "hello");
  const message = await h.message("hello");
  expect(message.sender.phone).toBe("+491700000001");
  expect(message.sender.name).toBe("Ada");
  expect(message.chat).toEqual({ kind: "direct" });
  expect(message.fromMe).toBe(false);
  expect(message.backlog).toBe(false);
  const result = await h.send(h.ada, "hello yourself");
  expect(result.ok).toBe(true);
  await h.ada.waitForMessage("hello yourself");

  await h.restart();
  await h.ada.send(h.owner, "still there?");
  await h.message("still there?");
  expect(await h.send(h.ada, "yes")).toMatchObject({ ok: true });
  await h.ada.waitForMessage("yes");
  expect(h.wa.links.count).toBe(1);
  expect(h.wa.retriesAsked.count + h.ada.undecryptable.count).toBe(0);
});

test("the linked device is never shown as in use, so that the phone goes on ringing", async () => {
  h = await Harness.linked();
  // Baileys says nothing of it before it knows the account's name.
  await h.owner.send(h.ada, "typed by the owner");
  await h.message("typed by the owner");
  await h.restart();
  const [companion] = h.owner.companions;
  await companion?.presences.waitFor();
  expect(new Set(companion?.presences.all)).toEqual(new Set(["unavailable"]));
});
