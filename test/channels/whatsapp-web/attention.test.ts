import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WASocket } from "@whiskeysockets/baileys";
import type { TurnFocus } from "../../../src/channels/channel.ts";
import { Attention, type AttentionOptions } from "../../../src/channels/whatsapp-web/attention.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const GROUP = "120363000000000001@g.us";
const SELF = "15550001000@s.whatsapp.net";
let folder: string;
let clock: FakeClock;
let session: Session;
let connected: boolean;
let fails: boolean;
let said: string[];
let read: unknown[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "revka-attention-"));
  clock = fakeClock();
  session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
  [connected, fails, said, read] = [true, false, [], []];
  await received("A", { from: "491700000001:3@s.whatsapp.net" });
  await received("L", { from: "900491700000001:3@lid" });
  await received("G", { from: GROUP, participant: "491700000001:3@s.whatsapp.net" });
  await received("S", { from: "15550001000:3@s.whatsapp.net", recipient: SELF });
});
afterEach(() => {
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

function received(id: string, attributes: Record<string, string>): Promise<void> {
  const part = { part: id, stanza: id, parts: 1, attributes: { id, ...attributes } };
  return session.write(() => session.journal.put(part, new Uint8Array([1]), 1));
}
const socket = {
  async sendPresenceUpdate(state: string, jid: string) {
    said.push(`${state} ${jid}`);
    if (fails) throw new Error("cut off");
  },
  async readMessages(keys: unknown[]) {
    read.push(...(keys.length > 0 ? keys : ["nothing"]));
    if (fails) throw new Error("cut off");
  },
};
const attention = (more: Partial<AttentionOptions> = {}) =>
  new Attention({
    ...{ readReceipts: true, typing: true, clock, session: () => session },
    socket: () => (connected ? (socket as unknown as WASocket) : undefined),
    ...more,
  });

const focus = (recipient: TurnFocus["recipient"], ...ids: string[]): TurnFocus => ({
  chat: { kind: recipient.kind, id: JSON.stringify(recipient) },
  recipient,
  messages: ids.map((id) => ({ id, sender: { phone: null, userId: null, lid: null } })),
});
const direct = (phone: string | null, lid: string | null): TurnFocus["recipient"] => ({
  ...{ kind: "direct", userId: null, phone, lid },
});
const ada = direct("+491700000001", ADA_LID);
const group: TurnFocus["recipient"] = { kind: "group", id: GROUP };

describe("read receipts", () => {
  test("go to the JID a message came from, in a group with who wrote it, without devices", () => {
    attention().started(focus(ada, "A", "L", "never seen"));
    attention().started(focus(group, "G"));
    expect(read).toEqual([
      { remoteJid: ADA, id: "A", fromMe: false },
      { remoteJid: ADA_LID, id: "L", fromMe: false },
      { remoteJid: GROUP, id: "G", fromMe: false, participant: ADA },
    ]);
  });

  test("are not sent where they are off; neither is typing", () => {
    attention({ readReceipts: false }).started(focus(ada, "A"));
    expect([read.length, said.length]).toEqual([0, 1]);
    attention({ typing: false }).started(focus(ada, "A"));
    expect([read.length, said.length]).toEqual([1, 1]);
    attention().started(focus(direct(null, null), "never seen"));
    expect([read.length, said.length]).toEqual([1, 1]);
  });
});

describe("typing", () => {
  test.each<[string, TurnFocus, string]>([
    ["where the last message came from, by number", focus(ada, "L", "A"), ADA],
    ["where the last message came from, by LID", focus(ada, "A", "L"), ADA_LID],
    ["the number, where that is not known", focus(ada, "never seen"), ADA],
    ["the LID, where there is no number", focus(direct(null, ADA_LID), "never seen"), ADA_LID],
    ["the group", focus(group, "G"), GROUP],
    ["the own chat", focus({ kind: "self" }, "S"), SELF],
    ["never ourselves for a chat with somebody", focus(ada, "S"), ADA],
    ["never a group for a chat with one of its members", focus(ada, "G"), ADA],
  ])("is shown to %s", (_, turn, jid) => {
    attention().started(turn);
    expect(said).toEqual([`composing ${jid}`]);
  });

  test("is said again while the turn works, and withdrawn at its end", async () => {
    const shown = attention();
    shown.started(focus(ada, "A"));
    await clock.advance(25_000);
    shown.ended(focus(group, "G"));
    expect(said).toEqual(Array.from({ length: 3 }, () => `composing ${ADA}`));
    shown.ended(focus(ada, "A"));
    shown.ended(focus(ada, "A"));
    await clock.advance(60_000);
    expect(said.slice(3)).toEqual([`paused ${ADA}`]);
  });

  test("does not go on for ever for a turn that never ends", async () => {
    attention().started(focus(ada, "A"));
    await clock.advance(15 * 60_000);
    const { length } = said;
    await clock.advance(15 * 60_000);
    expect(said).toHaveLength(length);
    expect(length).toBeGreaterThan(80);
  });

  test("is said once at a time for a chat, and not by the turn before", async () => {
    const shown = attention();
    shown.started(focus(ada, "A"));
    shown.started(focus(ada, "L"));
    said = [];
    await clock.advance(10_000);
    expect(said).toEqual([`composing ${ADA_LID}`]);
  });

  test("ends everywhere with the channel", async () => {
    const shown = attention();
    shown.started(focus(ada, "A"));
    shown.started(focus(group, "G"));
    said = [];
    shown.stop();
    await clock.advance(60_000);
    expect(said).toEqual([`paused ${ADA}`, `paused ${GROUP}`]);
  });
});

test("nothing of this fails a turn: no connection, one that breaks, no session", async () => {
  connected = false;
  attention().started(focus(ada, "A"));
  [connected, fails] = [true, true];
  attention().started(focus(ada, "A"));
  await clock.advance(10_000);
  const without = () => {
    throw new Error("no session is open");
  };
  attention({ session: without }).started(focus(ada, "A"));
  expect(said.length).toBeGreaterThan(0);
});
