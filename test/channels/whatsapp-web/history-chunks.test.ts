import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWAMessage, proto } from "@whiskeysockets/baileys";
import {
  type HistoryChunk,
  type HistoryChunks,
  LARGEST_CHUNK,
  chunkIn,
  noteHistory,
} from "../../../src/channels/whatsapp-web/history-chunks.ts";
import { digestOf } from "../../../src/channels/whatsapp-web/journal.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { type LogFields, silentLog } from "../../../src/telemetry/log.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

const self = { phone: "+15550001000", lid: "90015550001000@lid" };
const OWN = "15550001000@s.whatsapp.net";
const { HISTORY_SYNC_NOTIFICATION, REVOKE } = proto.Message.ProtocolMessage.Type;
const { RECENT, INITIAL_BOOTSTRAP, FULL, ON_DEMAND } = proto.Message.HistorySyncType;

const whole: proto.Message.IHistorySyncNotification = {
  syncType: RECENT,
  directPath: "/mms/md-msg-hist/a",
  mediaKey: Buffer.alloc(32, 1),
  fileEncSha256: Buffer.alloc(32, 2),
  fileLength: 5000,
};

function stanzaOf(
  change: proto.Message.IHistorySyncNotification = {},
  from = OWN,
  type = HISTORY_SYNC_NOTIFICATION,
) {
  const historySyncNotification = { ...whole, ...change };
  const plaintext = encodeWAMessage({ protocolMessage: { type, historySyncNotification } });
  return { attributes: { from, id: "H" }, plaintexts: [plaintext] };
}

describe("what a stanza says of the history", () => {
  const read = (...stanza: Parameters<typeof stanzaOf>) => chunkIn(stanzaOf(...stanza), self);
  const chunk: HistoryChunk = {
    directPath: "/mms/md-msg-hist/a",
    mediaKey: Buffer.alloc(32, 1).toString("base64"),
    fileEncSha256: Buffer.alloc(32, 2).toString("base64"),
    bytes: 5000,
  };

  test.each<[string, ReturnType<typeof read>, HistoryChunk]>([
    ["the latest", read(), chunk],
    ["the first", read({ syncType: INITIAL_BOOTSTRAP }), chunk],
    ["by LID", read({}, "90015550001000@lid"), chunk],
    ["without a hash", read({ fileEncSha256: null }), { ...chunk, fileEncSha256: null }],
    ["without a length", read({ fileLength: null }), { ...chunk, bytes: LARGEST_CHUNK }],
    [
      "within the message, of whatever type",
      read({ initialHistBootstrapInlinePayload: Buffer.from("x"), syncType: FULL }),
      {
        ...{ directPath: digestOf(Buffer.from("x")), mediaKey: "", fileEncSha256: null },
        ...{ bytes: 1, within: Buffer.from("x").toString("base64") },
      },
    ],
    ["within nothing", read({ initialHistBootstrapInlinePayload: new Uint8Array() }), chunk],
  ])("%s", (_, found, expected) => expect(found).toEqual(expected));

  test.each<[string, ReturnType<typeof read>]>([
    ["of another person", read({}, "491700000001@s.whatsapp.net")],
    ["of another linked device", read({}, "15550001000:3@s.whatsapp.net")],
    ["of another type", read({}, OWN, REVOKE)],
    ["old", read({ syncType: FULL })],
    ["never asked for", read({ syncType: ON_DEMAND })],
    ["nowhere", read({ directPath: null })],
    ["at an endless address", read({ directPath: `/${"a".repeat(2048)}` })],
    ["without a key", read({ mediaKey: null })],
    ["with half a key", read({ mediaKey: Buffer.alloc(16) })],
  ])("none that is %s", (_, found) => expect(found).toBeNull());

  test("none in what is no message", () => {
    const stanza = { attributes: { from: OWN }, plaintexts: [Buffer.from("nonsense")] };
    expect(chunkIn(stanza, self)).toBeNull();
    expect(chunkIn({ ...stanza, plaintexts: [] }, self)).toBeNull();
  });
});

describe("chunks that wait", () => {
  const MB = 2 ** 20;
  const DAY = 86_400_000;
  let folder: string;
  let clock: FakeClock;
  let session: Session;

  const open = () => {
    const hooks = { onReceived: () => {}, onMappings: () => {} };
    session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, hooks);
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "revka-chunks-"));
    clock = fakeClock();
    open();
  });
  afterEach(() => {
    session.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const chunk = (name: string, bytes = 1000): HistoryChunk => ({
    ...{ directPath: `/${name}`, mediaKey: "", fileEncSha256: null, bytes },
  });
  const keep = (name: string, bytes?: number) =>
    session.history.keep(chunk(name, bytes), clock.now());
  const next = () => session.history.next();
  const expire = () => session.history.expire(clock.now());
  const begin = (history: HistoryChunks = session.history) => {
    const first = next();
    if (!first) throw new Error("nothing waits");
    return history.begin(first);
  };

  test("come first in, first out, and outlive a restart", async () => {
    let told = 0;
    session.history.onKept = () => told++;
    expect([keep("a"), keep("b")]).toEqual([null, null]);
    expect(told).toBe(2);
    await session.commit.written();
    session.close();
    open();
    expect(next()).toMatchObject({ ...chunk("a"), tries: 0 });
    session.history.drop(chunk("a"));
    expect(next()).toMatchObject(chunk("b"));
    session.history.drop(chunk("b"));
    expect(next()).toBeUndefined();
  });

  test("are kept with what came within the message, up to half a MiB of it", async () => {
    const within = { ...chunk("a", MB / 2), within: "AAAA" };
    const larger = { ...chunk("b", MB / 2 + 1), within: "AAAA" };
    expect(session.history.keep(larger, clock.now())).toBe("it has 524289 bytes");
    expect(session.history.keep(within, clock.now())).toBeNull();
    await session.commit.written();
    session.close();
    open();
    expect(next()).toMatchObject(within);
  });

  test("wait once each", () => {
    for (let times = 0; times < 20; times++) expect(keep("a")).toBeNull();
    expect(keep("b")).toBeNull();
  });

  test("are sixteen of a link at most, those included that were read", () => {
    for (let index = 0; index < 16; index++) {
      expect(keep(`${index}`)).toBeNull();
      session.history.drop(chunk(`${index}`));
    }
    expect(keep("17")).toBe("it is one of more than 16");
    expect(next()).toBeUndefined();
  });

  test("are 64 MiB of a link at most, 16 MiB each", () => {
    expect(keep("a", 16 * MB + 1)).toBe("it has 16777217 bytes");
    for (const name of ["a", "b", "c"]) expect(keep(name, 16 * MB)).toBeNull();
    expect(keep("d", 16 * MB - 1)).toBeNull();
    expect(keep("e", 2)).toBe("with those before it has more than 67108864 bytes");
    expect(keep("f", 1)).toBeNull();
  });

  test("are tried five times, also where that ended the daemon; others come first", async () => {
    keep("a");
    keep("b");
    expect(await begin()).toBe(true);
    expect(next()).toMatchObject({ directPath: "/b" });
    session.history.drop(chunk("b"));
    for (const again of [true, true, true, false]) {
      session.close();
      open();
      expect(expire()).toBe(0);
      expect(await begin()).toBe(again);
    }
    expect(expire()).toBe(1);
    expect(next()).toBeUndefined();
  });

  test("are tried once that is on disk", async () => {
    keep("a");
    await session.commit.written();
    const begun = begin();
    expect(session.commit.waits).toBe(true);
    await begun;
    expect(session.commit.waits).toBe(false);
  });

  test("that cannot be kept hold up no message", () => {
    const held = "{}";
    session.commit.stage({ changes: [{ type: "history", id: "chunks", held }], alongside: [] });
    const said: LogFields[] = [];
    const log = { ...silentLog, warn: (fields: LogFields) => void said.push(fields) };
    const stanza = stanzaOf();
    noteHistory(stanza, { self, history: session.history }, clock.now(), log);
    expect(said).toEqual([{ error: "the session could not be read" }]);
  });

  test.each([DAY, -DAY])("are not taken up again after a day (%i ms)", (ms) => {
    session.history.keep(chunk("a"), clock.now() - ms);
    session.history.keep(chunk("b"), clock.now() - ms + Math.sign(ms));
    expect(expire()).toBe(1);
    expect(next()).toMatchObject({ directPath: "/b" });
  });
});
