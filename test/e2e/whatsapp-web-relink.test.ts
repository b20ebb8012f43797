import { existsSync, readdirSync, renameSync } from "node:fs";
import { afterEach, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { SessionDatabase } from "../../src/channels/whatsapp-web/session-database.ts";
import { Session } from "../../src/channels/whatsapp-web/session.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { Harness } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

const hour = 3_600_000;
const hooks = { onReceived() {}, onMappings() {} };
const aside = () => readdirSync(h.folder).filter((name) => name.includes(".logged-out-"));
const openSession = (agoMs = 0) =>
  Session.open(
    { path: h.sessionPath, env: {} },
    { ...systemClock, now: () => Date.now() - agoMs },
    hooks,
  );

/** A linked device whose daemon ended once linking anew had begun, `agoMs` before. */
async function begun(agoMs: number): Promise<Session> {
  h = await Harness.linked();
  await h.channel.stop();
  const session = openSession(agoMs);
  session.beginRelink();
  return session;
}

async function goesOn(): Promise<void> {
  h.states.clear();
  await h.run();
  await h.link();
  expect(h.wa.links.count).toBe(2);
  expect(h.owner.companions).toHaveLength(1);
  expect(aside()).toHaveLength(1);
  // Once is enough.
  await h.restart();
  expect(h.wa.links.count).toBe(2);
}

test("linking anew that a crash cut off goes on: before the logout", async () => {
  (await begun(0)).close();
  await goesOn();
});

test("and after it", async () => {
  (await begun(0)).close();
  const [companion] = h.owner.companions;
  if (!companion) throw new Error("not linked");
  h.wa.unlink(companion);
  await goesOn();
});

test("and while the session was moved aside", async () => {
  (await begun(0)).leave();
  expect(existsSync(h.sessionPath)).toBe(false);
  await goesOn();
});

test.each([hour - 60_000, -hour + 60_000])("and %d ms later", async (agoMs) => {
  (await begun(agoMs)).close();
  await goesOn();
});

test.each([hour, -hour - 60_000])(
  "what was begun %d ms ago was given up: a session put back is one to keep",
  async (agoMs) => {
    (await begun(agoMs)).close();
    await h.run();
    await h.ready();
    await h.ada.send(h.owner, "still there");
    await h.message("still there");
    expect(h.wa.links.count).toBe(1);
  },
);

test("a phone hears of it also where that cannot be noted", async () => {
  h = await Harness.linked();
  const full = Object.assign(new Error("database or disk is full"), { errcode: 13 });
  const write = spyOn(SessionDatabase.prototype, "transaction").mockImplementationOnce(() => {
    throw full;
  });
  await h.channel.relink?.();
  write.mockRestore();
  const code = await h.qr();
  expect(h.owner.companions).toHaveLength(0);
  await h.owner.scanQr(code);
});

test("it is forgotten with the link that it was for", async () => {
  const session = await begun(0);
  session.forgetLink();
  expect(session.relinkBegun).toBe(false);
  session.close();
});

test("it is noted before the phone hears of it, and once", async () => {
  h = await Harness.linked();
  const listed: number[] = [];
  const note = spyOn(Session.prototype, "beginRelink").mockImplementation(function (this: Session) {
    listed.push(h.owner.companions.length);
  });
  await h.channel.relink?.();
  note.mockRestore();
  expect(listed).toEqual([1]);
});

test("a session that was set aside and is put back at once is one to keep", async () => {
  const aside = (await begun(0)).leave().settle();
  renameSync(aside, h.sessionPath);
  const session = openSession();
  expect(session.relinkBegun).toBe(false);
  session.close();
  await h.run();
  await h.ready();
  expect(h.wa.links.count).toBe(1);
});
