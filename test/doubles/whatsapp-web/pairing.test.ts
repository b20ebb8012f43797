import { afterEach, expect, test } from "bun:test";
import { BareClient } from "./bare-client.ts";
import { type Fixture, failure, fixture } from "./fixture.ts";

let f: Fixture;
afterEach(() => f.stop());

test("a client links by a code of its own choice", async () => {
  f = await fixture({ linked: false });
  const sock = f.client.connect();
  await f.client.nextQr();
  expect(await sock.requestPairingCode(f.owner.number, "REVKA123")).toBe("REVKA123");
  await f.owner.enterCode("REVKA123");
  expect(await f.client.closed()).toBe(515);
  await f.client.login();
  expect(f.wa.links.made.all).toEqual([
    { jid: f.client.creds.me?.id ?? "", device: 1, by: "code" },
  ]);
  await f.ada.send(f.owner, "hello");
  await f.client.received("hello");
});

test("a client links by a random code", async () => {
  f = await fixture({ linked: false });
  const sock = f.client.connect();
  await f.client.nextQr();
  const code = await sock.requestPairingCode(f.owner.number);
  await f.owner.enterCode(code);
  expect(await f.client.closed()).toBe(515);
});

test("a wrong code links nothing", async () => {
  f = await fixture({ linked: false });
  const sock = f.client.connect();
  await f.client.nextQr();
  await sock.requestPairingCode(f.owner.number, "RIGHT123");
  expect(await failure(f.owner.enterCode("WRONG123"))).toContain("does not match");
  expect(f.wa.links.count).toBe(0);
});

test("a drop between code and confirmation makes the reconnect look like a logout", async () => {
  f = await fixture({ linked: false });
  const sock = f.client.connect();
  await f.client.nextQr();
  await sock.requestPairingCode(f.owner.number, "REVKA123");
  await f.wa.links.codes.hellos.waitFor();
  f.wa.cutAll();
  await f.client.closed();
  f.client.connect();
  expect(await f.client.closed()).toBe(401);
});

test("an old QR code is refused, a new connection brings new ones", async () => {
  f = await fixture({ linked: false });
  f.client.connect();
  const old = await f.client.nextQr();
  f.client.connect();
  const fresh = await f.client.nextQr();
  expect(await failure(f.owner.scanQr(old))).toContain("expired");
  await f.owner.scanQr(fresh);
});

test("an account that needs a passkey is asked for one and is not linked", async () => {
  f = await fixture({ linked: false });
  f.owner.requiresPasskey = true;
  const sock = f.client.connect();
  const asked = new Promise((resolve) =>
    sock.ws.on("CB:notification,type:passkey_prologue_request", resolve),
  );
  expect(await failure(f.owner.scanQr(await f.client.nextQr()))).toContain("passkey");
  await asked;
  expect(f.wa.links.count).toBe(0);
});

test("with a code, too, the passkey is asked for instead of the link being made", async () => {
  f = await fixture({ linked: false });
  f.owner.requiresPasskey = true;
  const sock = f.client.connect();
  const asked = new Promise((resolve) =>
    sock.ws.on("CB:notification,type:passkey_prologue_request", resolve),
  );
  await f.client.nextQr();
  await sock.requestPairingCode(f.owner.number, "REVKA123");
  expect(await failure(f.owner.enterCode("REVKA123"))).toContain("passkey");
  await asked;
  expect(f.wa.links.count).toBe(0);
});

test("a link cut off before the client signed it does not count", async () => {
  f = await fixture({ linked: false });
  f.wa.fault({ at: "out:iq:pair-success", do: "cut" });
  f.client.connect();
  expect(await failure(f.owner.scanQr(await f.client.nextQr()))).toContain("left before");
  await f.client.closed();
  expect(f.wa.links.count).toBe(0);
  f.client.connect();
  await f.owner.scanQr(await f.client.nextQr());
  expect(f.wa.links.count).toBe(1);
});

test("two clients can be linked to one account", async () => {
  f = await fixture();
  const second = new BareClient(f.wa);
  second.connect();
  await f.owner.scanQr(await second.nextQr());
  await second.closed();
  await second.login();
  await f.ada.send(f.owner, "to all");
  await Promise.all([f.client.received("to all"), second.received("to all")]);
  await f.client.sendText(f.ada.jid, "from the first");
  const copy = await second.received("from the first");
  expect(copy.message.key.fromMe).toBe(true);
  expect(copy.message.key.remoteJid).toBe(f.ada.jid);
  await second.close();
});
