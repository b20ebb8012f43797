import { afterEach, expect, test } from "bun:test";
import { BareClient } from "./bare-client.ts";
import { type Fixture, failure, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test.each([401, 403, 405, 429, 440, 500, 503])("a login refused with %d", async (code) => {
  f = await fixture();
  f.wa.fault({ at: "login", do: "refuse", code });
  f.client.connect();
  expect(await f.client.closed()).toBe(code);
  await f.client.login();
});

test.each([401, 440, 503, 515])("a stream error %d while logged in", async (code) => {
  f = await fixture();
  await f.wa.streamError(code);
  expect(await f.client.closed()).toBe(code);
});

test("a second login of one device replaces the first", async () => {
  f = await fixture();
  const other = new BareClient(f.wa, { auth: { creds: f.client.creds, keys: f.client.keys } });
  other.connect();
  expect(await f.client.closed()).toBe(440);
  await other.close();
});

test("an unlinked device is told so and refused afterwards", async () => {
  f = await fixture();
  const [companion] = f.owner.companions;
  if (companion) f.wa.unlink(companion);
  expect(await f.client.closed()).toBe(401);
  f.client.connect();
  expect(await f.client.closed()).toBe(401);
  expect(f.wa.refusals.all).toEqual([401]);
});

test("a client logs itself out", async () => {
  f = await fixture();
  await f.client.sock.logout();
  await f.wa.unlinked.waitFor();
  expect(f.owner.companions).toEqual([]);
});

test("a client older than the minimum is refused with 405", async () => {
  f = await fixture({ linked: false });
  f.wa.minimumVersion = [2, 3000, 2_000_000_000];
  f.client.connect();
  expect(await f.client.closed()).toBe(405);
});

test("an upgrade answered with 503", async () => {
  f = await fixture({ linked: false, config: { connectTimeoutMs: 500 } });
  f.wa.fault({ at: "upgrade", do: "refuse", code: 503 });
  f.client.connect();
  expect(await f.client.closed()).toBe(408);
  expect(f.wa.registrations.count).toBe(0);
});

test("a connection cut during the handshake", async () => {
  f = await fixture({ linked: false });
  f.wa.fault({ at: "hello", do: "cut" });
  f.client.connect();
  expect(await f.client.closed()).toBe(428);
});

test("a deaf server keeps the socket open and answers nothing", async () => {
  f = await fixture({ config: { keepAliveIntervalMs: 100_000 } });
  const hear = f.wa.deaf();
  const ping = f.client.sock.query(
    { tag: "iq", attrs: { to: "s.whatsapp.net", type: "get", xmlns: "w:p" } },
    150,
  );
  expect(await failure(ping)).toContain("Timed Out");
  await f.ada.send(f.owner, "unheard");
  hear();
  await f.client.login();
  await f.client.received("unheard");
});

test("pings alone are lost", async () => {
  f = await fixture();
  f.wa.fault({ at: "in:iq:w:p", do: "swallow", times: 0 });
  const iq = { tag: "iq", attrs: { to: "s.whatsapp.net", type: "get", xmlns: "w:p" } };
  expect(await failure(f.client.sock.query(iq, 150))).toContain("Timed Out");
  await f.ada.send(f.owner, "still here");
  await f.client.received("still here");
  expect(f.wa.pings).toBe(0);
});

test("a message refused with an error in its ack", async () => {
  f = await fixture();
  f.wa.fault({ at: "in:message", do: "refuse", code: 479 });
  const id = await f.client.sendText(f.ada.jid, "refused");
  expect(await f.client.acks.waitFor()).toEqual({ id, error: "479" });
  expect(f.ada.inbox.count).toBe(0);
});

test("faults count occasions: skip, then strike so many times", async () => {
  f = await fixture();
  f.wa.fault({ at: "out:ack:message", do: "delay", ms: 1, skip: 1, times: 2 });
  for (const text of ["a", "b", "c", "d"]) await f.client.sendText(f.ada.jid, text);
  await f.wa.faults.struck.waitForCount(2);
  expect(f.wa.faults.list()).toEqual([]);
});

test("the line breaks once the client has its pairing code", async () => {
  f = await fixture({ linked: false });
  f.wa.fault({ at: "in:iq:md:link_code_companion_reg", do: "cut-after" });
  const sock = f.client.connect();
  await f.client.nextQr();
  await sock.requestPairingCode(f.owner.number, "REVKA123");
  expect(await f.client.closed()).toBe(428);
});

test("a stale pairing code is announced without keys", async () => {
  f = await fixture({ linked: false });
  const sock = f.client.connect();
  await f.client.nextQr();
  await sock.requestPairingCode(f.owner.number, "REVKA123");
  await f.wa.links.codes.hellos.waitFor();
  const announced = new Promise((resolve) =>
    sock.ws.on("CB:notification,type:link_code_companion_reg", resolve),
  );
  f.wa.links.codes.refresh(f.owner.number);
  await announced;
  await f.owner.enterCode("REVKA123");
});
