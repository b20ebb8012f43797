import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { type BinaryNode, proto } from "@whiskeysockets/baileys";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";
import { ADA, ADA_LID, Traffic } from "./traffic-harness.ts";

let t: Traffic;
beforeEach(async () => {
  t = await Traffic.start();
  t.session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
});
afterEach(() => t.stop());

function message(id: string, more: BinaryNode["attrs"] = {}): void {
  const enc = { tag: "enc", attrs: { type: "msg", v: "2" }, content: Buffer.from(id) };
  t.hear("CB:message", { id, from: ADA, type: "text", t: "1700000000", ...more }, [enc]);
}

describe("messages are read one after the other, as they came", () => {
  test("those that waited for this device before those that come live", async () => {
    const first = Promise.withResolvers<void>();
    t.reading = () => first.promise;
    message("one", { offline: "1" });
    message("two", { offline: "1" });
    message("three");
    await t.read.waitFor();
    await t.clock.advance(59_000);
    expect(t.read.all).toEqual(["one"]);
    first.resolve();
    await t.read.waitForCount(3);
    expect(t.read.all).toEqual(["one", "two", "three"]);
  });

  test("also where the number of the first is yet to be found", async () => {
    const found = Promise.withResolvers<void>();
    const asked = new Recorder<null>("look-up");
    t.lookUp = () => {
      asked.add(null);
      return found.promise;
    };
    message("one", { sender_lid: ADA_LID });
    message("two");
    await asked.waitFor();
    await t.clock.advance(59_999);
    expect(t.read.all).toEqual([]);
    found.resolve();
    await t.read.waitForCount(2);
    expect(t.read.all).toEqual(["one", "two"]);
  });

  test("one whose number is never found holds up the others for a minute, and no longer", async () => {
    const asked = new Recorder<null>("look-up");
    t.lookUp = () => {
      asked.add(null);
      return new Promise(() => {});
    };
    message("hangs", { sender_lid: ADA_LID });
    message("one");
    await asked.waitFor();
    await t.clock.advance(60_000);
    await t.read.waitFor();
    expect(t.read.all).toEqual(["one"]);
  });
});

test("which stanza a message came in is known before it is read", async () => {
  const noted = spyOn(t.session.incoming, "note");
  const known: unknown[] = [];
  t.reading = async () => void known.push(...noted.mock.calls.map(([{ attrs }]) => attrs));
  message("one", { offline: "1" });
  await t.read.waitFor();
  expect(known).toEqual([expect.objectContaining({ id: "one", offline: "1" })]);
});

test("what went before the link is not fetched: Baileys would do that past any proxy", async () => {
  const fetched = spyOn(globalThis, "fetch").mockRejectedValue(new Error("fetched"));
  try {
    const { Type } = proto.Message.ProtocolMessage;
    const bytes = Buffer.alloc(32, 1);
    t.plaintext = () => ({
      protocolMessage: {
        type: Type.HISTORY_SYNC_NOTIFICATION,
        historySyncNotification: {
          ...{ syncType: proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP, progress: 100 },
          ...{ directPath: "/v/history", mediaKey: bytes, fileSha256: bytes, fileEncSha256: bytes },
        },
      },
    });
    const handled = new Promise<void>((resolve) =>
      t.sock.ev.on("messages.upsert", () => resolve()),
    );
    message("history", { from: "15550001000@s.whatsapp.net", category: "peer" });
    await handled;
    expect(fetched).not.toHaveBeenCalled();
  } finally {
    fetched.mockRestore();
  }
});
