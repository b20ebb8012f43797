import { afterEach, expect, test } from "bun:test";
import { type Fixture, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test("a client links by QR, restarts as told and logs in", async () => {
  f = await fixture({ linked: false });
  f.client.connect();
  const companion = await f.owner.scanQr(await f.client.nextQr());
  expect(await f.client.closed()).toBe(515);
  expect(f.client.creds.me?.id).toBe("15550001000:1@s.whatsapp.net");
  await f.client.login();
  expect(f.wa.links.count).toBe(1);
  expect(f.wa.logins.count).toBe(1);
  expect(companion.preKeys.length).toBeGreaterThan(800);
  expect(f.wa.errors.all).toEqual([]);
  expect(f.wa.unhandled.all).toEqual([]);
});

test("text travels both ways under real Signal sessions", async () => {
  f = await fixture();
  await f.ada.send(f.owner, "hello");
  const { message, type } = await f.client.received("hello");
  expect(type).toBe("notify");
  expect(message.key.remoteJid).toBe(f.ada.jid);
  expect(message.pushName).toBe("Ada");
  const id = await f.client.sendText(f.ada.jid, "hello yourself");
  const answer = await f.ada.waitForMessage("hello yourself");
  expect(answer.id).toBe(id);
  await f.owner.waitForMessage("hello yourself");
  expect(f.ada.undecryptable.count + f.owner.undecryptable.count).toBe(0);
  expect(f.wa.clientMessages.count).toBe(1);
});

test("a linked client logs in again and again without linking anew", async () => {
  f = await fixture();
  await f.client.login();
  await f.client.login();
  expect(f.wa.links.count).toBe(1);
  expect(f.wa.logins.count).toBe(3);
});

test("a client that waits for history gets it with the LIDs of the phone's contacts", async () => {
  f = await fixture({ linked: false, config: { shouldSyncHistoryMessage: () => true } });
  f.owner.history = { contacts: [f.ada] };
  f.client.connect();
  await f.owner.scanQr(await f.client.nextQr());
  await f.client.closed();
  const sock = await f.client.login();
  await f.ada.send(f.owner, "a LID you know", { as: "lid", alt: false });
  await f.client.received("a LID you know");
  expect(await sock.signalRepository.lidMapping.getPNForLID(f.ada.lid)).toStartWith(f.ada.number);
});
