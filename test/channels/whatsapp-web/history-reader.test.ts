import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { type WASocket, proto } from "@whiskeysockets/baileys";
import { HistoryReader, PAUSE_MS } from "../../../src/channels/whatsapp-web/history-reader.ts";
import { MediaConnections } from "../../../src/channels/whatsapp-web/media-connection.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { type LogFields, silentLog } from "../../../src/telemetry/log.ts";
import { MediaStore } from "../../doubles/whatsapp-web/media.ts";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";
import { settle } from "../../support/settle.ts";

// When chunks are read, and when they are left for later.

const PHONE = "+491700000001";
const LID = "900491700000001@lid";

let folder: string;
let clock: FakeClock;
let session: Session;
let media: MediaStore;
let reader: HistoryReader;
/** What was said of chunks. */
let said: Recorder<LogFields>;
/** What the servers answer; the file where that is null. */
let answer: (signal: AbortSignal | null | undefined) => Promise<Response> | null;
let handedOver: () => Promise<void>;
/** Timers of the session itself. */
let timers: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-reader-"));
  clock = fakeClock();
  session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  timers = clock.pending;
  media = new MediaStore();
  said = new Recorder("word on the history");
  [answer, handedOver] = [() => null, async () => {}];
  const { get, set, transaction } = session.transactions;
  const keys = { get, set, transaction };
  const sock = { query: async () => undefined, authState: { keys } } as unknown as WASocket;
  const note = (fields: LogFields) => said.add(fields);
  reader = new HistoryReader({
    ...{ session, sock, clock, mediaConnections: new MediaConnections(clock) },
    log: { ...silentLog, debug: note, info: note, warn: note },
    handedOver: () => handedOver(),
    fetch: async (url, init) =>
      answer(init?.signal) ??
      new Response(new Uint8Array(media.files.get(new URL(String(url)).pathname) ?? [])),
  });
});
afterEach(() => {
  reader.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

async function keep(): Promise<void> {
  const pnJid = `${PHONE.slice(1)}@s.whatsapp.net`;
  const history = { syncType: 3, phoneNumberToLidMappings: [{ pnJid, lidJid: LID }] };
  const file = deflateSync(proto.HistorySync.encode(history).finish());
  const { directPath, mediaKey, fileEncSha256 } = await media.encrypt(file, "md-msg-hist");
  session.history.keep(
    {
      directPath,
      mediaKey: mediaKey.toString("base64"),
      fileEncSha256: fileEncSha256.toString("base64"),
      bytes: file.length,
    },
    clock.now(),
  );
}

test("what waits is read at the start, what comes then at once", async () => {
  await keep();
  expect(session.mappings.phoneOfLid(LID)).toBeNull();
  reader.start();
  await said.waitForCount(1);
  expect(session.mappings.phoneOfLid(LID)).toBe(PHONE);
  await keep();
  await said.waitForCount(2);
  await settle();
  expect(session.history.next()).toBeUndefined();
  expect(clock.pending).toBe(timers);
});

test("a server that is silent for five minutes is not waited for", async () => {
  await keep();
  answer = (signal) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));
  reader.start();
  await settle();
  await clock.advance(5 * 60_000 - 1);
  expect(said.all).toEqual([]);
  await clock.advance(1);
  expect(await said.waitFor()).toEqual({ error: "it took too long" });
  expect(session.history.next()).toBeUndefined();
});

test("a pause ends with the next chunk", async () => {
  await keep();
  answer = () => Promise.resolve(new Response("", { status: 500 }));
  reader.start();
  await settle();
  expect(clock.pending).toBe(timers + 1);
  answer = () => null;
  await keep();
  await said.waitForCount(2);
  expect(clock.pending).toBe(timers);
});

test("after the end of the connection a pause ends in nothing", async () => {
  await keep();
  answer = () => Promise.resolve(new Response("", { status: 500 }));
  reader.start();
  await settle();
  reader.stop();
  expect(clock.pending).toBe(timers);
  await clock.advance(PAUSE_MS);
  expect(session.history.next()).toMatchObject({ tries: 1 });
});

test("what the connection's end interrupts is read again over the next", async () => {
  await keep();
  const begun = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  handedOver = () => {
    begun.resolve();
    return ended.promise;
  };
  reader.start();
  await begun.promise;
  reader.stop();
  ended.resolve();
  await settle();
  expect(session.history.next()).toMatchObject({ tries: 1 });
  expect(said.all).toEqual([]);
});

test("what could not be written is read again over the next connection", async () => {
  await keep();
  handedOver = async () => {
    session.commit.written = () => {
      // As the gate does.
      reader.stop();
      return Promise.reject(new Error("disk full"));
    };
  };
  reader.start();
  await settle();
  expect(session.history.next()).toMatchObject({ tries: 1 });
  expect(said.all).toEqual([]);
});
