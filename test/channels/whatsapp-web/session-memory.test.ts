import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

const DAY = 86_400_000;
const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const BOB = "447700900002@s.whatsapp.net";
let folder: string;
let clock: FakeClock;
let session: Session;

const path = () => join(folder, "s.db");
const open = () =>
  Session.open({ path: path(), env: {} }, clock, { onReceived: () => {}, onMappings: () => {} });
const reopen = () => {
  session.close();
  session = open();
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-session-"));
  clock = fakeClock();
  session = open();
});
afterEach(() => {
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

const account = { details: new Uint8Array([1]) };
function link(number: string): void {
  session.creds.me = { id: `${number}:7@s.whatsapp.net`, lid: `900${number}:7@lid` };
  session.creds.account = account;
  session.saveCredentials();
}

describe("the link", () => {
  test("who we are follows the credentials, without a device", () => {
    expect(session.self).toEqual({ phone: null, lid: null });
    link("15550001000");
    expect(session.self).toEqual({ phone: "+15550001000", lid: "90015550001000@lid" });
    link("15550002000");
    expect(session.self).toEqual({ phone: "+15550002000", lid: "90015550002000@lid" });
    session.creds.me = { id: "15550002000:7@s.whatsapp.net" };
    expect(session.self).toEqual({ phone: "+15550002000", lid: null });
    session.creds.me = { id: "15550003000:7@s.whatsapp.net" };
    expect(session.self).toEqual({ phone: "+15550003000", lid: null });
  });

  test("is there once the phone has signed, and confirmed once pre-keys are with the server", () => {
    expect([session.linked, session.confirmed]).toEqual([false, false]);
    link("15550001000");
    expect([session.linked, session.confirmed]).toEqual([true, false]);
    session.creds.firstUnuploadedPreKeyId = 31;
    expect([session.linked, session.confirmed]).toEqual([true, true]);
    delete session.creds.account;
    expect(session.confirmed).toBe(false);
  });

  test("a number that a code was asked for and nobody confirmed is dropped; a link never is", () => {
    session.creds.me = { id: "15550001000@s.whatsapp.net" };
    session.creds.pairingCode = "ABCD1234";
    session.creds.registered = true;
    session.saveCredentials();
    session.dropUnfinishedLink();
    reopen();
    expect(session.creds).toMatchObject({ registered: false });
    expect(session.creds.me).toBeUndefined();
    expect(session.creds.pairingCode).toBeUndefined();
    link("15550001000");
    session.dropUnfinishedLink();
    reopen();
    expect(session.linked).toBe(true);
    expect(session.self.phone).toBe("+15550001000");
  });

  test("forgotten, it registers anew under the same keys", () => {
    link("15550001000");
    const { signedIdentityKey } = session.creds;
    session.forgetLink();
    reopen();
    expect(session.linked).toBe(false);
    expect(session.self.phone).toBeNull();
    expect(Buffer.from(session.creds.signedIdentityKey.public)).toEqual(
      Buffer.from(signedIdentityKey.public),
    );
  });
});

describe("what was left by the session before", () => {
  const left: InboundEvent = { kind: "ignored", reason: "call" };
  const inherit = () => session.inherit({ number: "+15550001000", events: [left] });

  test("is for the same number, or for none yet; it outlives a restart", () => {
    inherit();
    expect(session.inherited).toEqual([left]);
    link("15550001000");
    expect(session.inherited).toEqual([left]);
    expect(session.dropForeignLegacy()).toBe(0);
    reopen();
    expect(session.inherited).toEqual([left]);
  });

  test("is nothing for another number, and dropped there for good", async () => {
    inherit();
    link("15550002000");
    expect(session.inherited).toEqual([]);
    expect(session.dropForeignLegacy()).toBe(1);
    expect(session.dropForeignLegacy()).toBe(0);
    await session.commit.written();
    link("15550001000");
    expect(session.inherited).toEqual([]);
    reopen();
    expect(session.inherited).toEqual([]);
  });

  test("once taken it is gone, also after a restart", async () => {
    inherit();
    await session.inheritanceTaken();
    expect(session.inherited).toEqual([]);
    reopen();
    expect(session.inherited).toEqual([]);
  });
});

describe("a message that is asked for again", () => {
  test("goes to a group for a day, to a person as long as it is kept", async () => {
    link("15550001000");
    const group = "120363000000000001@g.us";
    const now = clock.now();
    const put = (id: string, chat: string, at: number) =>
      session.write(
        session.sent.putting(id, { chat, delivery: null, message: { conversation: "hi" } }, at),
      );
    await put("new", group, now - 86_399_999);
    await put("old", group, now - 86_400_001);
    await put("direct", ADA, now - 13 * 86_400_000);
    expect(session.sentTo(group, "new")?.conversation).toBe("hi");
    expect(session.sentTo(group, "old")).toBeUndefined();
    expect(session.sentTo(ADA, "direct")?.conversation).toBe("hi");
    // Tried in vain for days, it has only now come to the group.
    await put("old", group, now);
    expect(session.sentTo(group, "old")?.conversation).toBe("hi");
  });

  const send = (chat: string) =>
    session.write(
      session.sent.putting("M", { chat, delivery: null, message: { conversation: "hi" } }, 1),
    );

  test("goes to whom it was for, by number or LID, and to nobody else who knows its id", async () => {
    link("15550001000");
    await send(ADA);
    expect(session.sentTo(ADA, "M")?.conversation).toBe("hi");
    expect(session.sentTo("491700000001:4@s.whatsapp.net", "M")?.conversation).toBe("hi");
    expect(session.sentTo(BOB, "M")).toBeUndefined();
    expect(session.sentTo("120363000000000001@g.us", "M")).toBeUndefined();
    expect(session.sentTo("15550001000@s.whatsapp.net", "M")).toBeUndefined();
    expect(session.sentTo("", "M")).toBeUndefined();
    expect(session.sentTo(ADA, "N")).toBeUndefined();
    expect(session.sentTo(ADA_LID, "M")).toBeUndefined();
    await session.transactions.set({
      "lid-mapping": { "900491700000001_reverse": "491700000001" },
    });
    expect(session.sentTo(ADA_LID, "M")?.conversation).toBe("hi");
  });
});

describe("what is too old goes", () => {
  const remembers = () => [session.journal.remember("A") !== undefined, session.sent.has("A")];
  beforeEach(async () => {
    const part = { part: "A", stanza: "A", parts: 1, attributes: { id: "A", from: ADA } };
    const now = clock.now();
    await session.write(() => session.journal.put(part, new Uint8Array([1]), now));
    await session.write(session.journal.closing("A", null, false));
    const message = { chat: ADA, delivery: null, message: { conversation: "hi" } };
    await session.write(session.sent.putting("A", message, now));
  });

  test("while it runs", async () => {
    await clock.advance(8 * DAY);
    expect(remembers()).toEqual([true, true]);
    await clock.advance(DAY);
    expect(remembers()).toEqual([false, true]);
    await clock.advance(6 * DAY);
    expect(remembers()).toEqual([false, false]);
  });

  test("at the start", async () => {
    session.close();
    expect(clock.pending).toBe(0);
    await clock.advance(15 * DAY);
    session = open();
    expect(remembers()).toEqual([false, false]);
  });

  test("later, where the disk refuses it at first; nothing else comes of that", async () => {
    await clock.advance(8 * DAY);
    const other = new DatabaseSync(path());
    other.exec("BEGIN IMMEDIATE");
    await clock.advance(DAY / 4);
    other.close();
    expect(remembers()).toEqual([true, true]);
    await clock.advance(DAY / 4);
    expect(remembers()).toEqual([false, true]);
  });
});
