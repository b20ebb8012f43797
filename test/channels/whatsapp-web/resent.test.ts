import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { WAMessage } from "@whiskeysockets/baileys";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { type Logger, silentLog } from "../../../src/telemetry/log.ts";
import { fakeClock } from "../../support/clock.ts";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";

const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const GROUP = "120363000000000001@g.us";
const clock = fakeClock();
let folder: string;
let session: Session;
let open: Session | null;
let ingress: Ingress;
let events: Recorder<InboundEvent>;
let errors: Recorder<string>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-resent-"));
  open = session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  events = new Recorder("event");
  errors = new Recorder("error");
  const log: Logger = { ...silentLog, error: (_, message) => errors.add(message ?? "") };
  const deliver = async (batch: InboundEvent[]) => batch.forEach((event) => events.add(event));
  ingress = new Ingress({ session: () => open, deliver, clock, log });
});
afterEach(async () => {
  await ingress.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

const again = (key: WAMessage["key"], more: Partial<WAMessage> = {}): WAMessage => ({
  key: { id: "M1", fromMe: false, ...key },
  message: { conversation: "hello" },
  messageTimestamp: 1_700_000_000,
  pushName: "Ada",
  ...more,
});
const arrived = async () => {
  const event = await events.waitFor(({ kind }) => kind === "message");
  if (event.kind !== "message") throw new Error("not a message");
  return event.message;
};

test.each<[string, WAMessage["key"], string | null, string | null]>([
  ["by number", { remoteJid: ADA }, "+491700000001", null],
  [
    "by number, the LID beside",
    { remoteJid: ADA, remoteJidAlt: ADA_LID },
    "+491700000001",
    ADA_LID,
  ],
  ["by LID", { remoteJid: ADA_LID }, null, ADA_LID],
  [
    "by LID, the number beside",
    { remoteJid: ADA_LID, remoteJidAlt: ADA },
    "+491700000001",
    ADA_LID,
  ],
])("a message that the phone sends again is its writer's, %s", async (_, key, phone, lid) => {
  ingress.resent(again(key));
  expect(await arrived()).toMatchObject({
    id: "M1",
    chat: { kind: "direct" },
    sender: { phone, lid, name: "Ada" },
    text: "hello",
    timestamp: 1_700_000_000,
    fromMe: false,
  });
});

test.each<[string, WAMessage["key"], string | null, string | null]>([
  ["by number", { participant: ADA, participantAlt: ADA_LID }, "+491700000001", ADA_LID],
  ["by LID", { participant: ADA_LID, participantAlt: ADA }, "+491700000001", ADA_LID],
  ["by LID alone", { participant: ADA_LID }, null, ADA_LID],
])("one of a group is of its group and its writer's, %s", async (_, key, phone, lid) => {
  ingress.resent(again({ remoteJid: GROUP, ...key }));
  expect(await arrived()).toMatchObject({
    chat: { kind: "group", id: GROUP },
    sender: { phone, lid },
  });
});

test("however often it is sent again, it is handed over once", async () => {
  for (let times = 0; times < 2; times++) ingress.resent(again({ remoteJid: ADA }));
  await session.commit.written();
  await ingress.settled();
  ingress.resent(again({ remoteJid: ADA }));
  ingress.resent(again({ remoteJid: ADA, id: "M2" }));
  await session.commit.written();
  await ingress.settled();
  const ids = events.all.map((event) => (event.kind === "message" ? event.message.id : event.kind));
  expect(ids).toEqual(["M1", "M2"]);
});

test("what the phone sends again may be old: it counts as backlog", async () => {
  ingress.wake();
  await ingress.settled();
  ingress.resent(again({ remoteJid: ADA }));
  expect((await arrived()).backlog).toBe(true);
});

test.each<[string, WAMessage]>([
  ["what the owner wrote", again({ remoteJid: ADA, fromMe: true })],
  ["what has no id", again({ remoteJid: ADA, id: null })],
  ["what has no chat", again({})],
  ["what has no content", again({ remoteJid: ADA }, { message: null })],
])("%s is not taken up from there", async (_, message) => {
  ingress.resent(message);
  expect(session.commit.waits).toBe(false);
});

test("after a logout nothing is taken up, and nothing comes of it", () => {
  open = null;
  ingress.resent(again({ remoteJid: ADA }));
  expect(session.commit.waits).toBe(false);
});

test("what cannot be written is not handed over; that is said", async () => {
  const failing = () => {
    throw new Error("disk full");
  };
  session.commit.stage({ changes: [], alongside: [failing] });
  ingress.resent(again({ remoteJid: ADA }));
  await expect(session.commit.written()).rejects.toThrow("disk full");
  await errors.waitFor();
  expect(events.all).toEqual([]);
  ingress.resent(again({ remoteJid: ADA }));
  expect((await arrived()).text).toBe("hello");
});
