import { describe, expect, test } from "bun:test";
import { deflateSync } from "node:zlib";
import { proto } from "@whiskeysockets/baileys";
import { UnreadableHistory, readHistory } from "../../../src/channels/whatsapp-web/history-file.ts";
import { HistoryWalk } from "../../../src/channels/whatsapp-web/history-walk.ts";
import { saltField } from "../../doubles/whatsapp-web/history.ts";
import { rejection } from "../../support/rejection.ts";

// The bytes of a chunk of the phone's history, whole and hostile.

const PN = "491700000001@s.whatsapp.net";
const PHONE = "+491700000001";
const LID = "900491700000001@lid";
const token = Buffer.from("trust");
const nothing = { pairs: [], tokens: [], salt: null };

const encode = (history: Omit<proto.IHistorySync, "syncType">): Buffer =>
  Buffer.from(proto.HistorySync.encode({ syncType: 3, ...history }).finish());

function walk(bytes: Uint8Array, size = bytes.length) {
  const walk = new HistoryWalk();
  for (let at = 0; at < bytes.length; at += size) walk.push(bytes.subarray(at, at + size));
  return walk.finish();
}
const found = (history: Omit<proto.IHistorySync, "syncType">) => walk(encode(history));

describe("who is whose LID", () => {
  test.each<[string, Omit<proto.IHistorySync, "syncType">]>([
    ["of the list", { phoneNumberToLidMappings: [{ pnJid: PN, lidJid: LID }] }],
    ["of a chat by LID", { conversations: [{ id: LID, pnJid: PN }] }],
    ["of a chat by number", { conversations: [{ id: PN, lidJid: LID }] }],
    ["of an old number's server", { conversations: [{ id: LID, pnJid: "491700000001@c.us" }] }],
  ])("%s", (_, history) => {
    expect(found(history)).toEqual({ ...nothing, pairs: [{ phone: PHONE, lid: LID }] });
  });

  test.each<[string, Omit<proto.IHistorySync, "syncType">]>([
    ["half a pair", { phoneNumberToLidMappings: [{ pnJid: PN }, { lidJid: LID }, {}] }],
    ["two numbers", { phoneNumberToLidMappings: [{ pnJid: PN, lidJid: PN }] }],
    ["no address", { phoneNumberToLidMappings: [{ pnJid: "Ada", lidJid: "@lid" }] }],
    ["a LID that is none", { phoneNumberToLidMappings: [{ pnJid: PN, lidJid: "ada@lid" }] }],
    ["a group", { conversations: [{ id: "1203@g.us", pnJid: PN, lidJid: LID }] }],
    ["a chat without more", { conversations: [{ id: LID }, { id: PN }, { id: "" }] }],
    ["the LID a chat by LID had", { conversations: [{ id: LID, lidJid: LID }] }],
    ["an endless name", { conversations: [{ id: LID, pnJid: `${"1".repeat(2000)}${PN}` }] }],
  ])("%s says nothing", (_, history) => {
    expect(found(history)).toEqual(nothing);
  });
});

describe("who trusts the account", () => {
  const full = { tcToken: token, tcTokenTimestamp: 1_700_000_000, tcTokenSenderTimestamp: 17 };

  test("by LID and by number, with the times", () => {
    const conversations = [
      { id: LID, ...full },
      { id: PN, ...full, tcTokenSenderTimestamp: null },
    ];
    const timestamp = 1_700_000_000;
    expect(found({ conversations }).tokens).toEqual([
      { phone: null, lid: LID, token, timestamp, senderTimestamp: 17 },
      { phone: PHONE, lid: null, token, timestamp, senderTimestamp: 0 },
    ]);
  });

  test.each<[string, proto.IConversation]>([
    ["a group", { id: "1203@g.us", ...full }],
    ["nobody", { id: "", ...full }],
    ["without a time", { id: LID, tcToken: token }],
    ["an empty one", { id: LID, ...full, tcToken: new Uint8Array() }],
    ["an endless one", { id: LID, ...full, tcToken: Buffer.alloc(1025) }],
  ])("%s counts for nothing", (_, conversation) => {
    expect(found({ conversations: [conversation] }).tokens).toEqual([]);
  });
});

const message: proto.IHistorySyncMsg = {
  msgOrderId: 7,
  message: {
    key: { remoteJid: LID, id: "OLD", fromMe: true },
    messageTimestamp: 1_699_999_999,
    message: { conversation: "x".repeat(300) },
  },
};
test.each<[string, Uint8Array, Buffer | null]>([
  ["is taken", saltField(Buffer.from("salt")), Buffer.from("salt")],
  ["as long as the longest piece of text", longSalt(1024), Buffer.alloc(1024)],
  ["an endless one is none", longSalt(1025), null],
  ["an empty one is none", saltField(new Uint8Array()), null],
  [
    "that of a message in it is another's",
    encode({ conversations: [{ id: saltField(Buffer.from("salt")).toString("latin1") }] }),
    null,
  ],
  [
    "the last one counts",
    Buffer.concat(["a", "b"].map((salt) => saltField(Buffer.from(salt)))),
    Buffer.from("b"),
  ],
])("the salt for first contacts: %s", (_, bytes, salt) => {
  expect(walk(bytes)).toEqual({ ...nothing, salt });
  expect(walk(bytes, 1)).toEqual({ ...nothing, salt });
});

function longSalt(length: number): Buffer {
  return Buffer.concat([
    Buffer.of(0x9a, 0x01, (length & 0x7f) | 0x80, length >> 7),
    Buffer.alloc(length),
  ]);
}

const busy = encode({
  conversations: [
    {
      ...{ id: LID, pnJid: PN, name: "Ada", unreadCount: 3, tcToken: token },
      messages: Array.from({ length: 20 }, () => message),
      tcTokenTimestamp: 1_700_000_000,
    },
    { id: "1203@g.us", messages: [message], participant: [{ userJid: PN }] },
  ],
  pushnames: [{ id: PN, pushname: "Ada" }],
  phoneNumberToLidMappings: [{ pnJid: PN, lidJid: LID }],
  progress: 100,
});

test.each([1, 2, 3, 7, 100, 65_536])("in pieces of %i bytes it says the same", (size) => {
  const pair = { phone: PHONE, lid: LID };
  expect(walk(busy, size)).toEqual({
    pairs: [pair, pair],
    tokens: [{ phone: null, lid: LID, token, timestamp: 1_700_000_000, senderTimestamp: 0 }],
    salt: null,
  });
});

test("cut off anywhere within a field, it is refused, and never anything else", () => {
  const whole = new Set([0]);
  for (let end = 1; end < busy.length; end++) {
    try {
      walk(busy.subarray(0, end));
      whole.add(end);
    } catch (error) {
      expect(error).toMatchObject({ name: "MalformedProtobuf" });
    }
  }
  // Between the fields nobody can tell.
  expect(whole.size).toBe(6);
});

describe("what is no protobuf", () => {
  const bytes = (...values: number[]) => Uint8Array.from(values);
  test.each<[string, Uint8Array, string]>([
    ["a field without a number", bytes(0x02, 0), "a field has no number"],
    ["the start of a group", bytes(0x0b), "a field has no type"],
    ["the end of one", bytes(0x0c), "a field has no type"],
    ["no type at all", bytes(0x0f), "a field has no type"],
    ["a number of eleven bytes", bytes(8, ...Array(10).fill(0xff), 1), "does not end"],
    ["a length beyond all bounds", bytes(0x1a, ...Array(9).fill(0xff), 1), "breaks off"],
    ["a field longer than its chat", bytes(0x12, 2, 0x0a, 5, 1, 1, 1, 1, 1), "longer than"],
    ["a number that leaves its chat", bytes(0x12, 2, 0x08, 0xff, 1), "longer than"],
    ["a tag that leaves its chat", bytes(0x12, 1, 0x88, 1, 1), "longer than"],
    ["a fixed number that leaves it", bytes(0x12, 2, 0x09, 1, 1, 1, 1, 1, 1, 1, 1), "longer than"],
  ])("%s", (_, hostile, why) => {
    for (const size of [1, hostile.length]) expect(() => walk(hostile, size)).toThrow(why);
  });

  test("what nobody knows is passed over, of each type", () => {
    const unknown = [
      0xf8,
      1,
      5,
      0xf9,
      1,
      ...Array(8).fill(9),
      0xfd,
      1,
      9,
      9,
      9,
      9,
      0xfa,
      1,
      2,
      9,
      9,
    ];
    const bytes = Buffer.concat([
      Buffer.from(unknown),
      encode({ conversations: [{ id: LID, pnJid: PN }] }),
    ]);
    expect(walk(bytes).pairs).toEqual([{ phone: PHONE, lid: LID }]);
    const nested = [0x12, 1 + 1 + LID.length + unknown.length, ...unknown, 0x0a, LID.length];
    expect(walk(Buffer.concat([Buffer.from(nested), Buffer.from(LID)])).tokens).toEqual([]);
  });

  test("a known field of another type says nothing", () => {
    // A conversation as a number; its id as a number, its time as text.
    expect(walk(Uint8Array.of(0x10, 5)).pairs).toEqual([]);
    expect(walk(Uint8Array.of(0x12, 5, 0x08, 5, 0xb2, 1, 0)).tokens).toEqual([]);
  });
});

test("fields by the million are no history", () => {
  const many = Buffer.alloc(2 * 1_000_001, Uint8Array.of(0x08, 1));
  expect(() => walk(many, 65_536)).toThrow("it has too many fields");
  expect(walk(many.subarray(4), 65_536).pairs).toEqual([]);
});

test("more chats than anybody has are not taken note of", () => {
  const conversations = Array.from({ length: 20_001 }, (_, index) => ({
    ...{ id: `${index + 1}@lid`, pnJid: PN, tcToken: token, tcTokenTimestamp: 1_700_000_000 },
  }));
  const { pairs, tokens } = found({ conversations });
  expect([pairs.length, tokens.length]).toEqual([20_000, 20_000]);
});

describe("a file", () => {
  const good = encode({ conversations: [{ id: LID, pnJid: PN }] });

  /** In pieces of ten bytes; `failure` is what it ends with. */
  function read(file: Uint8Array, limits: [number, number?] = [2 ** 20], failure?: Error) {
    const pulled = { pieces: 0 };
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        const at = 10 * pulled.pieces++;
        if (at < file.length) return controller.enqueue(file.subarray(at, at + 10));
        if (failure) return controller.error(failure);
        controller.close();
      },
    });
    return { pulled, found: readHistory(stream, ...limits) };
  }

  test("is read", async () => {
    expect((await read(deflateSync(good)).found).pairs).toEqual([{ phone: PHONE, lid: LID }]);
    expect(await read(deflateSync(Buffer.alloc(0))).found).toEqual(nothing);
  });

  test("says nothing where it turns out not to be genuine at its end", async () => {
    const failure = new Error("the file is not what its sender sent");
    expect(await rejection(read(deflateSync(good), [2 ** 20], failure).found)).toBe(failure);
  });

  test.each<[string, Uint8Array]>([
    ["empty", new Uint8Array()],
    ["not compressed", good],
    ["cut off", deflateSync(good).subarray(0, -5)],
    ["with something behind it", Buffer.concat([deflateSync(good), Buffer.from("more")])],
    ["changed", deflateSync(good).fill(0x55, 12, 20)],
  ])("that is %s is refused", async (_, file) => {
    const failure = await rejection(read(file).found);
    expect(failure).toBeInstanceOf(UnreadableHistory);
    expect(failure).toMatchObject({ message: expect.stringContaining("it is damaged") });
  });

  test("larger than it was said to be is not read on", async () => {
    const file = deflateSync(busy);
    expect(await read(file, [file.length]).found).toMatchObject({ tokens: [{}] });
    const { found, pulled } = read(Buffer.concat([file, Buffer.alloc(10_000)]), [file.length - 1]);
    expect(await rejection(found)).toMatchObject({
      message: "it is larger than it was said to be",
    });
    expect(pulled.pieces).toBeLessThan(file.length / 10 + 20);
  });

  test("that inflates to no end is not read on", async () => {
    // One field of 64 MiB that nobody knows.
    const field = Uint8Array.of(0x1a, 0x80, 0x80, 0x80, 0x20);
    const bomb = deflateSync(Buffer.concat([field, Buffer.alloc(2 ** 26)]));
    expect(await read(bomb).found).toEqual(nothing);
    const { found, pulled } = read(bomb, [2 ** 20, 2 ** 20]);
    expect(await rejection(found)).toMatchObject({
      message: "it inflates to more than 1048576 bytes",
    });
    expect(pulled.pieces).toBeLessThan(bomb.length / 20);
  });
});
