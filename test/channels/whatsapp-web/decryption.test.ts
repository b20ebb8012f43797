import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { type Device, device } from "./ratchet-harness.ts";

let ada: Device;
let ours: Device;
beforeEach(async () => {
  [ada, ours] = [device("491700000001"), device("15550001000")];
  await ours.stockUp();
  await ada.repository.injectE2ESession({ jid: ours.jid, session: ours.bundle() });
});
afterEach(() => [ada, ours].forEach((one) => one.stop()));

/** A stanza from Ada, as the socket brings it. */
async function stanza(text: string) {
  const data = Buffer.from(text);
  const { type, ciphertext } = await ada.repository.encryptMessage({ jid: ours.jid, data });
  const attrs = { id: `id ${text}`, from: ada.jid };
  const part = { tag: "enc", attrs: { type, v: "2" }, content: ciphertext };
  const node = { tag: "message", attrs, content: [part] };
  return { node, type, ciphertext };
}
type Stanza = Awaited<ReturnType<typeof stanza>>;

function read({ node, type, ciphertext }: Stanza) {
  ours.session.incoming.note(node);
  return ours.repository.decryptMessage({ jid: ada.jid, type, ciphertext });
}
/** The same bytes once more, as a redelivery brings them. */
const again = ({ node, type, ciphertext }: Stanza): Stanza => {
  const content = Buffer.from(ciphertext);
  const [part] = node.content;
  return {
    type,
    ciphertext: content,
    node: { ...node, content: part ? [{ ...part, content }] : [] },
  };
};
const pending = () =>
  ours.session.journal.pending(10).map(({ plaintexts }) => plaintexts.map(String).join());
/** The disk refuses the next write. */
const refuse = () =>
  ours.session.commit.stage({
    changes: [],
    alongside: [
      () => {
        throw new Error("disk full");
      },
    ],
  });

test("what was decrypted is in the journal, on disk before anybody is told", async () => {
  const plaintext = read(await stanza("hello"));
  expect(String(await plaintext)).toBe("hello");
  expect(ours.received).toEqual([]);
  await ours.session.commit.written();
  expect(ours.received).toEqual(["one"]);
  expect(pending()).toEqual(["hello"]);
});

test("what comes twice is decrypted once, and answered alike: before it is on disk, and after", async () => {
  const one = await stanza("hello");
  expect(String(await read(one))).toBe("hello");
  expect(String(await read(again(one)))).toBe("hello");
  await ours.session.commit.written();
  expect(String(await read(again(one)))).toBe("hello");
  expect(pending()).toEqual(["hello"]);
});

test("of what the inbox has, a redelivery brings nothing, and the text is not kept", async () => {
  const one = await stanza("hello");
  await read(one);
  await ours.session.commit.written();
  const [handed] = ours.session.journal.pending(1);
  await ours.session.write(ours.session.journal.closing(handed?.stanza ?? "", "hello", false));
  // One byte of padding around an empty message.
  expect([...(await read(again(one)))]).toEqual([1]);
  expect(pending()).toEqual([]);
});

test("what could not be written is not there, and can be read again, as can all that follows", async () => {
  await read(await stanza("first"));
  await ours.session.commit.written();
  const [lost, next] = [await stanza("lost at first"), await stanza("next")];
  const plaintext = read(lost);
  await plaintext;
  refuse();
  await expect(ours.session.commit.written()).rejects.toThrow("disk full");
  expect(ours.received).toEqual(["one"]);
  expect(pending()).toEqual(["first"]);
  expect(String(await read(again(lost)))).toBe("lost at first");
  expect(String(await read(next))).toBe("next");
  await ours.session.commit.written();
  expect(pending()).toEqual(["first", "lost at first", "next"]);
});

/** One that nobody can read. */
async function garbled(text: string): Promise<Stanza> {
  const one = await stanza(text);
  one.ciphertext.fill(0, one.ciphertext.length >> 1);
  return one;
}
const missing = () => ours.session.journal.placeholders().map(({ attributes }) => attributes.id);

test("of what cannot be read it is on disk that it came, before its acknowledgement leaves", async () => {
  const readable = read(await garbled("hello")).then(
    () => true,
    () => false,
  );
  expect(await readable.then((yes) => [yes, ours.session.commit.waits])).toEqual([false, true]);
  await ours.session.commit.written();
  expect(missing()).toEqual(["id hello"]);
  expect(pending()).toEqual([]);
});

test("where the disk is at fault, the message is no worse for it, and comes again", async () => {
  const one = await stanza("hello");
  const busy = Object.assign(new Error("database is locked"), { errcode: 5 });
  const look = spyOn(ours.session.commit, "get").mockImplementation(() => {
    throw busy;
  });
  await expect(read(one)).rejects.toThrow();
  look.mockRestore();
  expect(String(await read(again(one)))).toBe("hello");
  await ours.session.commit.written();
  expect(missing()).toEqual([]);
});

test("what did not come with a stanza is decrypted, and not handed over", async () => {
  const { type, ciphertext } = await stanza("aside");
  const plaintext = await ours.repository.decryptMessage({ jid: ada.jid, type, ciphertext });
  expect(String(plaintext)).toBe("aside");
  expect(pending()).toEqual([]);
});

test("a group's message is journaled as well", async () => {
  const group = "120363000000000001@g.us";
  const { ciphertext, senderKeyDistributionMessage } = await ada.repository.encryptGroupMessage({
    ...{ group, meId: ada.jid, data: Buffer.from("to all") },
  });
  const item = {
    groupId: group,
    axolotlSenderKeyDistributionMessage: senderKeyDistributionMessage,
  };
  await ours.repository.processSenderKeyDistributionMessage({ item, authorJid: ada.jid });
  const attrs = { id: "G", from: group, participant: ada.jid };
  const part = { tag: "enc", attrs: { type: "skmsg", v: "2" }, content: ciphertext };
  ours.session.incoming.note({ tag: "message", attrs, content: [part] });
  const message = { group, authorJid: ada.jid, msg: ciphertext };
  expect(String(await ours.repository.decryptGroupMessage(message))).toBe("to all");
  expect(String(await ours.repository.decryptGroupMessage(message))).toBe("to all");
  await ours.session.commit.written();
  expect(pending()).toEqual(["to all"]);
});
