import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { type BinaryNode, Curve, type WAMessage } from "@whiskeysockets/baileys";
import { UNWRITABLE } from "../../../src/channels/whatsapp-web/disconnect.ts";
import { ADA, Traffic } from "./traffic-harness.ts";

// What a socket hears, led to where it belongs.

let t: Traffic;
beforeEach(async () => (t = await Traffic.start()));
afterEach(() => t.stop());

describe("a receipt", () => {
  beforeEach(async () => {
    const sent = { chat: ADA, delivery: "delivery-1", message: { conversation: "hello" } };
    await t.session.write(t.session.sent.putting("M1", sent, t.clock.now()));
  });
  const receipt = (id: string | null, status: number | null, fromMe = true) =>
    t.sock.ev.emit("messages.update", [
      {
        key: { id, fromMe, remoteJid: ADA },
        update: { ...(status === null ? {} : { status }), messageTimestamp: 1_700_000_100 },
      },
    ]);

  test("of what we sent says how far its delivery came, and when", async () => {
    for (const status of [0, 1, 2, 3, 4, 5]) receipt("M1", status);
    await t.ingress.settled();
    expect(t.handed).toEqual(
      (["delivered", "read", "played"] as const).map((state) => ({
        kind: "status",
        status: {
          ...{ platformId: "M1", deliveryId: "delivery-1", state },
          ...{ timestamp: 1_700_000_100, failure: null },
        },
      })),
    );
  });

  test("of anything else says nothing", async () => {
    receipt("M2", 3);
    receipt(null, 3);
    receipt("M1", 3, false);
    receipt("M1", null);
    expect(await t.kinds()).toEqual([]);
  });
});

test("the server's word on a message goes to the send that waits for it, with its reason", async () => {
  const words = ["M1", "M2"].map((id) => t.acknowledgements.expect(id));
  t.hear("CB:ack,class:message", { id: "M2", error: "463", from: ADA });
  t.hear("CB:ack,class:message", { id: "M1", from: ADA });
  expect(await Promise.all(words)).toEqual([{ ok: true }, { ok: false, error: "463" }]);
});

describe("what is no message to answer is counted", () => {
  const upsert = (message: Partial<WAMessage>) =>
    t.sock.ev.emit("messages.upsert", {
      messages: [
        { key: { id: "M1", remoteJid: ADA, fromMe: false }, messageTimestamp: 1, ...message },
      ],
      type: "notify",
    });

  test("one that cannot be read; none that can, which comes from the journal", async () => {
    upsert({ message: { conversation: "hello" } });
    upsert({ messageStubType: 1 });
    upsert({ messageStubType: 2 });
    expect(await t.kinds()).toEqual(["undecryptable"]);
  });

  test("a newsletter's", async () => {
    t.hear("CB:message", { id: "M1", from: "120363000000000002@newsletter" });
    t.hear("CB:message", { id: "M2", from: ADA });
    expect(await t.kinds()).toEqual(["newsletter"]);
  });

  test("a call, once", async () => {
    const call = { id: "C1", chatId: ADA, from: ADA, date: new Date(0), offline: false };
    for (const status of ["offer", "ringing", "terminate"] as const)
      t.sock.ev.emit("call", [{ ...call, status }]);
    expect(await t.kinds()).toEqual(["call"]);
  });
});

test("who is in a group is asked anew once that changed", () => {
  const { groups } = t.caches;
  const ids = ["a@g.us", "b@g.us", "c@g.us"];
  for (const id of ids) groups.set(id, { id, subject: "", owner: undefined, participants: [] });
  t.sock.ev.emit("groups.update", [{ subject: "new" }, { id: "a@g.us", subject: "new" }]);
  t.sock.ev.emit("group-participants.update", {
    ...{ id: "b@g.us", author: ADA, participants: [], action: "remove" },
  });
  expect(ids.filter((id) => groups.get(id))).toEqual(["c@g.us"]);
});

describe("the connection is told", () => {
  test("of a passkey that is asked for, and of nothing else that is notified", () => {
    for (const type of ["passkey_prompt", "crsc_notify", "account_sync", "my_passkey"])
      t.hear("CB:notification", { id: "N1", from: ADA, type });
    t.hear("CB:notification", { id: "N2", from: ADA });
    expect(t.told.all).toEqual(["passkey", "passkey"]);
  });

  test("how long a ban lasts", () => {
    t.hear("CB:failure", { reason: "402", expire: "3600" });
    expect(t.told.all).toEqual(["expires 3600"]);
  });

  test("of no length where none is said", () => {
    t.hear("CB:failure", { reason: "402" });
    t.hear("CB:failure", { reason: "402", expire: "0" });
    expect(t.told.all).toEqual([]);
  });

  test("of a login that the server took", () => {
    t.hear("CB:success", { t: "1700000000" });
    expect(t.told.all).toEqual(["accepted"]);
  });

  test("of codes, the link, the login and the end", () => {
    t.sock.ev.emit("connection.update", { qr: "1@code" });
    t.sock.ev.emit("connection.update", { isNewLogin: true });
    t.sock.ev.emit("connection.update", { connection: "connecting" });
    t.sock.ev.emit("connection.update", { connection: "open" });
    const error = Object.assign(new Error("replaced"), { output: { statusCode: 440 } });
    t.sock.ev.emit("connection.update", {
      connection: "close",
      lastDisconnect: { error, date: new Date(0) },
    });
    expect(t.told.all).toEqual(["qr 1@code", "linked", "opened", "ended 440"]);
  });
});

test("a message without content is in the journal before anything more leaves, and is there after a crash", async () => {
  const unavailable = [{ tag: "unavailable", attrs: {} }];
  t.hear("CB:message", { id: "M1", from: ADA, t: "1700000000" }, unavailable);
  t.hear("CB:message", { id: "M2", from: ADA, type: "text" }, [
    { tag: "enc", attrs: { type: "msg" }, content: Buffer.from("M2") },
  ]);
  expect(t.session.commit.waits).toBe(true);
  await t.session.commit.written();
  expect(t.reopen().journal.placeholders()).toMatchObject([
    { attributes: { id: "M1", from: ADA, t: "1700000000" } },
  ]);
});

test("what the credentials become is on disk at once", () => {
  const { nextPreKeyId } = t.session.creds;
  t.sock.ev.emit("creds.update", { nextPreKeyId: nextPreKeyId + 5 });
  expect(t.reopen().creds.nextPreKeyId).toBe(nextPreKeyId + 5);
});

test("a session that cannot be written ends the connection, with its reason", () => {
  const fail = () => {
    throw new Error("disk full");
  };
  t.session.commit.stage({ changes: [], alongside: [fail] });
  t.session.commit.flush();
  expect(t.told.all).toEqual([`ended ${UNWRITABLE}`]);
});

test("a signature that is merely well-formed is not taken for good", () => {
  const { public: key } = Curve.generateKeyPair();
  expect(Curve.verify(key, Buffer.from("message"), Buffer.alloc(64))).toBe(false);
});

describe("a ping", () => {
  test("is answered by its own answer, and by nothing else", async () => {
    const sent = spyOn(t.sock, "sendNode").mockResolvedValue();
    let answered = false;
    const ping = t.socket.ping().then(() => (answered = true));
    const id = sent.mock.calls[0]?.[0].attrs.id;
    t.hear("TAG:another", { id: "another", type: "result" });
    await t.clock.advance(60_000);
    expect(answered).toBe(false);
    t.hear(`TAG:${id}`, { id: String(id), type: "result" });
    await ping;
  });

  test("that cannot be sent fails", async () => {
    spyOn(t.sock, "sendNode").mockRejectedValue(new Error("cut off"));
    expect(await t.socket.ping().catch((error: Error) => error.message)).toBe("cut off");
  });
});

test("settings of the phone are acknowledged and not fetched", () => {
  const sent = spyOn(t.sock, "sendNode").mockResolvedValue();
  t.hear("CB:notification", { id: "N1", type: "server_sync", from: ADA });
  expect(sent.mock.calls).toMatchObject([
    [{ tag: "ack", attrs: { id: "N1", class: "notification" } }],
  ]);
});

test("what nobody knows is refused, what wants no answer gets none", () => {
  const sent = spyOn(t.sock, "sendNode").mockResolvedValue();
  const hear = (tag: string, attrs: BinaryNode["attrs"]) =>
    t.sock.ws.emit("frame", { tag, attrs: { from: ADA, ...attrs } });
  t.sock.ws.emit("frame", new Uint8Array(3));
  for (const tag of ["message", "iq", "ack", "presence", "ib", "stream:error"])
    hear(tag, { id: "K" });
  hear("novelty", {});
  hear("novelty", { id: "N", from: "" });
  expect(sent).not.toHaveBeenCalled();
  hear("novelty", { id: "U1", participant: ADA, type: "media" });
  const attrs = { id: "U1", class: "novelty", error: "488", to: ADA, participant: ADA };
  expect(sent.mock.calls).toMatchObject([[{ tag: "ack", attrs }]]);
});

describe("a connection that is given up", () => {
  test("is closed on the line, though the other side says nothing", async () => {
    const line = await t.lines.waitFor();
    const closed = new Promise<void>((resolve) => line.on("close", () => resolve()));
    line.resume();
    t.socket.end();
    await closed;
  });

  test("lets go who waits for an answer", async () => {
    const waiting = t.sock.waitForMessage("never answered", 60_000);
    t.socket.end();
    expect(await waiting.catch(() => "let go")).toBe("let go");
  });
});
