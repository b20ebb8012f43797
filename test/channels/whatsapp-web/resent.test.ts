import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWAMessage, type proto } from "@whiskeysockets/baileys";
import type { InboundEvent } from "../../../src/channels/message.ts";
import type { StanzaAttributes } from "../../../src/channels/whatsapp-web/journal.ts";
import { partOf } from "../../../src/channels/whatsapp-web/placeholder.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { answerWith } from "../../doubles/whatsapp-web/placeholder.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

// The phone's answer in the journal, and what becomes of it.

const OWN = "15550001000@s.whatsapp.net";
const OWN_LID = "900015550001000@lid";
const ADA = "491700000001@s.whatsapp.net";
const ADA_LID = "900491700000001@lid";
const BOB = "447700900002@s.whatsapp.net";
const GROUP = "120363000000000001@g.us";
const T = "1700000000";

let folder: string;
let clock: FakeClock;
let session: Session;
let ingress: Ingress;
let events: InboundEvent[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-resent-"));
  clock = fakeClock();
  events = [];
  start();
});
afterEach(async () => {
  await ingress.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

function start(): void {
  const hooks = { onReceived: () => {}, onMappings: () => {} };
  session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, hooks);
  session.creds.me = {
    id: "15550001000:7@s.whatsapp.net",
    lid: "900015550001000:7@lid",
    name: "Owner",
  };
  const deliver = async (batch: InboundEvent[]) => void events.push(...batch);
  ingress = new Ingress({ session: () => session, deliver, clock, log: silentLog });
}

async function restart(): Promise<void> {
  await ingress.stop();
  session.close();
  start();
}

/** Comes without its content. */
function withoutContent(stanza: StanzaAttributes): Promise<void> {
  const attributes = { id: "M1", t: T, offline: "0", ...stanza };
  const placeholder = { part: partOf(attributes), attributes };
  return session.write(() => session.journal.putPlaceholder(placeholder, clock.now()));
}
const again = (
  key: proto.IMessageKey,
  more: Partial<proto.IWebMessageInfo> = {},
): proto.IWebMessageInfo => ({
  key: { id: "M1", fromMe: false, ...key },
  message: { conversation: "hello" },
  messageTimestamp: 1_700_000_100,
  pushName: "Ada at the phone",
  ...more,
});

let stanzas = 0;
/** A stanza is decrypted, on disk, and known. */
async function decrypted(
  message: proto.IMessage | Buffer,
  attributes: StanzaAttributes,
): Promise<void> {
  const name = `stanza ${++stanzas}`;
  const part = { part: name, stanza: name, parts: 1, attributes };
  const plaintext = Buffer.isBuffer(message) ? message : encodeWAMessage(message);
  await session.write(() => session.journal.put(part, plaintext, clock.now()));
  session.journal.open.add(part, plaintext);
}
const answered = (...infos: proto.IWebMessageInfo[]) =>
  decrypted(answerWith(...infos), { id: "A1", from: OWN, category: "peer" });
async function handedOver(): Promise<void> {
  session.journal.open.forget();
  ingress.wake();
  await ingress.settled();
}
const messages = () => events.flatMap((event) => (event.kind === "message" ? [event.message] : []));
const open = () => session.journal.placeholders().map(({ attributes }) => attributes.id);

const ada = { phone: "+491700000001", lid: ADA_LID };

describe("of what was asked for, chat, writer, name and time are what its stanza said,", () => {
  test.each<[string, StanzaAttributes, proto.IMessageKey, object]>([
    ["by number", { from: ADA, sender_lid: ADA_LID }, { remoteJid: ADA }, ada],
    [
      "by number, and by LID again",
      { from: ADA, sender_lid: ADA_LID },
      { remoteJid: ADA_LID },
      ada,
    ],
    ["by LID, and by number again", { from: ADA_LID, sender_pn: ADA }, { remoteJid: ADA }, ada],
    [
      "in a group",
      { from: GROUP, participant: ADA_LID, participant_pn: ADA },
      { remoteJid: GROUP, participant: ADA },
      ada,
    ],
  ])("%s", async (_, attributes, key, sender) => {
    await withoutContent({ ...attributes, notify: "Ada" });
    await answered(again(key));
    await handedOver();
    expect(messages()).toMatchObject([
      {
        id: "M1",
        text: "hello",
        chat: attributes.from === GROUP ? { kind: "group", id: GROUP } : { kind: "direct" },
        sender: { ...sender, name: "Ada" },
        timestamp: 1_700_000_000,
        fromMe: false,
        backlog: true,
      },
    ]);
    expect(open()).toEqual([]);
    // Nothing of the answer's own text is kept.
    expect(session.journal.plaintextOf(`stanza ${stanzas}`)).toEqual(Uint8Array.of(1));
  });

  test("also where what waits is known without the disk", async () => {
    await withoutContent({ from: ADA });
    ingress.wake();
    await ingress.settled();
    await answered(again({ remoteJid: ADA }));
    ingress.wake();
    await ingress.settled();
    expect(messages()).toMatchObject([{ id: "M1", text: "hello" }]);
  });

  test("and the owner's own, in the chat with himself, are his", async () => {
    await withoutContent({ from: OWN, recipient: OWN });
    await answered(again({ remoteJid: OWN_LID, fromMe: true }));
    await handedOver();
    expect(messages()).toMatchObject([
      { chat: { kind: "self" }, sender: { phone: "+15550001000" }, fromMe: true },
    ]);
  });
});

describe("of what the phone sends unasked, they are what the phone says,", () => {
  test.each<[string, proto.IWebMessageInfo, object]>([
    ["by number", again({ remoteJid: ADA }), { phone: "+491700000001", lid: null }],
    ["by LID", again({ remoteJid: ADA_LID }), { phone: null, lid: ADA_LID }],
    [
      "in a group",
      again({ remoteJid: GROUP, participant: ADA }),
      { phone: "+491700000001", lid: null },
    ],
    [
      "in a group, the writer beside",
      again({ remoteJid: GROUP }, { participant: ADA_LID }),
      { phone: null, lid: ADA_LID },
    ],
  ])("%s", async (_, info, sender) => {
    await answered(info);
    await handedOver();
    expect(messages()).toMatchObject([
      {
        id: "M1",
        chat: info.key?.remoteJid === GROUP ? { kind: "group", id: GROUP } : { kind: "direct" },
        sender: { ...sender, name: "Ada at the phone" },
        timestamp: 1_700_000_100,
        backlog: true,
      },
    ]);
  });

  test.each<[string, proto.IWebMessageInfo]>([
    ["what the owner wrote", again({ remoteJid: ADA, fromMe: true })],
    ["what has no id", again({ remoteJid: ADA, id: null })],
    ["what has no chat", again({})],
    ["what has no writer", again({ remoteJid: GROUP })],
    ["what has no content", again({ remoteJid: ADA }, { message: null })],
    ["what is no chat message", again({ remoteJid: "status@broadcast", participant: ADA })],
  ])("but %s does not come in", async (_, info) => {
    await answered(info);
    await handedOver();
    expect(messages()).toEqual([]);
    expect(session.journal.pending(1)).toEqual([]);
  });
});

test("nobody's words become another's, though their ids are the same", async () => {
  await withoutContent({ from: ADA });
  await answered(again({ remoteJid: BOB }, { message: { conversation: "I am Ada" } }));
  await handedOver();
  expect(messages().map(({ sender }) => sender.phone)).toEqual(["+447700900002"]);
  expect(open()).toEqual(["M1"]);
});

test.each<[string, StanzaAttributes]>([
  ["a contact", { from: ADA, category: "peer" }],
  ["a contact, in the name of a group", { from: GROUP, participant: ADA, category: "peer" }],
  ["another linked device", { from: "15550001000:3@s.whatsapp.net", category: "peer" }],
  ["nobody", { from: "", category: "peer" }],
  ["the phone, to anybody", { from: OWN, recipient: ADA }],
])("of %s nothing is taken for an answer", async (_, attributes) => {
  await withoutContent({ from: ADA });
  await decrypted(answerWith(again({ remoteJid: ADA })), { id: "A1", ...attributes });
  await handedOver();
  expect(messages()).toEqual([]);
  expect(open()).toEqual(["M1"]);
});

test("several in one answer arrive in the order they came; one that cannot be read spoils none", async () => {
  await withoutContent({ from: ADA, id: "M2" });
  await withoutContent({ from: ADA, id: "M1" });
  const message = answerWith(again({ remoteJid: ADA }), again({ remoteJid: ADA, id: "M2" }));
  message.protocolMessage?.peerDataOperationRequestResponseMessage?.peerDataOperationResult?.unshift(
    { placeholderMessageResendResponse: { webMessageInfoBytes: Buffer.from("no protobuf") } },
    { placeholderMessageResendResponse: {} },
    {},
  );
  await decrypted(message, { id: "A1", from: OWN_LID, category: "peer" });
  await handedOver();
  expect(messages().map(({ id }) => id)).toEqual(["M2", "M1"]);
});

test("however often it is sent again, it is handed over once", async () => {
  await withoutContent({ from: ADA });
  await answered(again({ remoteJid: ADA }), again({ remoteJid: ADA }));
  await answered(again({ remoteJid: ADA, id: "M2" }), again({ remoteJid: ADA, id: "M2" }));
  await handedOver();
  await answered(again({ remoteJid: ADA }), again({ remoteJid: ADA, id: "M2" }));
  await withoutContent({ from: ADA });
  await handedOver();
  expect(messages().map(({ id }) => id)).toEqual(["M1", "M2"]);
  expect(open()).toEqual([]);
});

test("it can be quoted and reacted to, and nobody else may change it", async () => {
  const attributes = { from: GROUP, participant: ADA_LID };
  await withoutContent(attributes);
  await answered(again({ remoteJid: GROUP, participant: ADA_LID }));
  await handedOver();
  expect(session.journal.remember("M1")).toMatchObject({ attributes, preview: "hello" });
  const revoke = { protocolMessage: { type: 0, key: { id: "M1" } } };
  await decrypted(revoke, { id: "B1", from: BOB, t: T });
  await handedOver();
  expect(events.at(-1)).toEqual({ kind: "ignored", reason: "foreign_revoke" });
});

test.each<[string, proto.IMessage | Buffer, string[]]>([
  ["nothing", {}, ["M1"]],
  ["nothing that can be read", Buffer.from("no protobuf"), ["M1"]],
  ["word that it is still to come", { placeholderMessage: { type: 0 } }, ["M1"]],
  ["what gets no answer", { pinInChatMessage: { key: { id: "X" }, type: 1 } }, []],
  ["its words", { conversation: "hello" }, []],
])("what came without its content, and then with %s", async (_, message, awaited) => {
  await withoutContent({ from: ADA });
  await decrypted(message, { id: "M1", from: ADA, t: T });
  await handedOver();
  expect(session.journal.pending(1)).toEqual([]);
  expect(open()).toEqual(awaited);
});

test("one that arrives by itself is not asked for any more; another's of the same id changes nothing", async () => {
  await withoutContent({ from: ADA });
  await decrypted({ conversation: "from Bob" }, { id: "M1", from: BOB, t: T });
  await handedOver();
  expect(open()).toEqual(["M1"]);
  await decrypted({ conversation: "hello" }, { id: "M1", from: ADA, t: T });
  await handedOver();
  expect(open()).toEqual([]);
});

test("an answer that a restart found in the journal is taken up", async () => {
  await withoutContent({ from: ADA });
  await answered(again({ remoteJid: ADA }));
  await restart();
  await handedOver();
  expect(messages().map(({ text }) => text)).toEqual(["hello"]);
});

test("what cannot be written is not handed over, and is as soon as it can", async () => {
  await withoutContent({ from: ADA });
  await answered(again({ remoteJid: ADA }));
  session.commit.stage({
    changes: [],
    alongside: [
      () => {
        throw new Error("disk full");
      },
    ],
  });
  await handedOver();
  expect(messages()).toEqual([]);
  await clock.advance(500);
  await ingress.settled();
  expect(messages().map(({ text }) => text)).toEqual(["hello"]);
});

describe("where addresses cannot be compared, it is", () => {
  const damaged = () => {
    throw new Error("damaged");
  };

  test("what was asked for, by the same address", async () => {
    await withoutContent({ from: ADA });
    await answered(again({ remoteJid: ADA }));
    spyOn(session.mappings, "lidOfPhone").mockImplementation(() =>
      open().length > 0 ? damaged() : null,
    );
    await handedOver();
    expect(messages()).toMatchObject([{ text: "hello", timestamp: 1_700_000_000 }]);
  });

  test("what the phone says, by another", async () => {
    await withoutContent({ from: ADA_LID });
    await answered(again({ remoteJid: ADA }));
    spyOn(session.mappings, "phoneOfLid").mockImplementationOnce(damaged);
    await handedOver();
    expect(messages()).toMatchObject([{ text: "hello", timestamp: 1_700_000_100 }]);
  });
});

test("where the disk cannot be read just now, it waits", async () => {
  await withoutContent({ from: ADA_LID, sender_pn: ADA });
  await answered(again({ remoteJid: ADA }));
  const unreadable = spyOn(session.mappings, "lidOfPhone").mockImplementation(() => {
    throw Object.assign(new Error("I/O error"), { errcode: 10 });
  });
  await handedOver();
  expect(open()).toEqual(["M1"]);
  unreadable.mockRestore();
  await clock.advance(500);
  await ingress.settled();
  expect(messages()).toMatchObject([{ text: "hello", timestamp: 1_700_000_000 }]);
});

test("a session that leaves leaves to the next what the phone has sent again", async () => {
  await withoutContent({ from: ADA });
  await answered(again({ remoteJid: ADA }), again({ remoteJid: BOB, fromMe: true }));
  const left = ingress.legacyOf(session).events;
  expect(left).toMatchObject([
    { kind: "message", message: { text: "hello", sender: { phone: "+491700000001" } } },
  ]);
});

test("a note of it that the disk has damaged keeps it out no more", async () => {
  await withoutContent({ from: ADA });
  const other = new DatabaseSync(join(folder, "s.db"));
  other.exec("UPDATE received SET attributes = x'00112233' WHERE done = 2");
  other.close();
  await answered(again({ remoteJid: ADA }));
  await handedOver();
  expect(messages()).toMatchObject([{ text: "hello" }]);
});
