import { afterEach, beforeEach, expect, test } from "bun:test";
import { Curve } from "@whiskeysockets/baileys";
import { trustRoot } from "./certificate.ts";
import { type Fixture, fixture, link } from "./fixture.ts";
import { strictBaileys } from "./verify.ts";

let f: Fixture;
let lenient: () => void;
beforeEach(() => {
  lenient = strictBaileys();
});
afterEach(async () => {
  lenient();
  await f.stop();
});

test("a client that checks signatures links and logs in", async () => {
  f = await fixture({ linked: false });
  await link(f.client, f.owner);
  await f.ada.send(f.owner, "hello");
  await f.client.received("hello");
});

test("a client that checks signatures refuses a root it does not trust", async () => {
  f = await fixture({ linked: false });
  trustRoot(Curve.generateKeyPair().public);
  f.client.connect();
  expect(await f.client.closed()).toBe(400);
  expect(f.wa.opened).toBe(1);
  expect(f.wa.registrations.count).toBe(0);
});
