import { describe, expect, test } from "bun:test";
import type { InboundEvent, Message, Sender } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const trial = storeTrial();

const who = (identity: Partial<Sender>): Sender => ({ ...nobody, ...identity });
const take = (event: InboundEvent) => trial.store.accept(cloud, [event], everybody);

async function write(sender: Partial<Sender>, changes: Partial<Message> = {}) {
  const written = message({ ...changes, sender: who(sender) });
  const { admitted } = await take({ kind: "message", message: written });
  return { id: written.id, chat: admitted[0]?.chat ?? 0 };
}

const one = { phone: "+491700000001" };
const other = { phone: "+491700000002" };

describe("identities of two people with numbers of their own join nobody", () => {
  const seen = { userId: "DE.1", lid: "2@lid" };
  const together: [how: string, see: () => Promise<unknown>][] = [
    ["in a message", () => write(seen)],
    [
      "outside one",
      () =>
        take({ kind: "identity", sender: who(seen), previousUserId: null, previousPhone: null }),
    ],
  ];
  test.each(together)("seen together %s", async (_, see) => {
    const hers = await write({ ...one, userId: "DE.1" });
    const his = await write({ ...other, lid: "2@lid" });
    await see();
    expect([
      trial.store.chat(hers.chat)?.recipient,
      trial.store.chat(his.chat)?.recipient,
    ]).toMatchObject([
      { ...one, userId: "DE.1", lid: "2@lid" },
      { ...other, userId: null, lid: null },
    ]);
  });
});

test("a LID that comes with another number leaves who had it, whatever else comes with it", async () => {
  const hers = await write({ userId: "DE.1" });
  const his = await write({ ...other, lid: "2@lid" });
  const { chat } = await write({ ...one, userId: "DE.1", lid: "2@lid" });
  expect(chat).toBe(hers.chat);
  expect(trial.store.chat(chat)?.recipient).toMatchObject({
    ...one,
    userId: "DE.1",
    lid: "2@lid",
  });
  expect(trial.store.chat(his.chat)?.recipient).toMatchObject({ ...other, lid: null });
});

test("what a sender is known by in one message alone reaches the door each time", async () => {
  const seen: (string | undefined)[] = [];
  const admit: AcceptRules["admit"] = (each) => {
    seen.push(each.sender.parentUserId);
    return { admitted: true, message: each };
  };
  for (let round = 0; round < 3; round++) {
    const written = message({ sender: who({ userId: "DE.1", parentUserId: "DE.ENT.1" }) });
    await trial.store.accept(cloud, [{ kind: "message", message: written }], {
      ...everybody,
      admit,
    });
  }
  expect(seen).toEqual(["DE.ENT.1", "DE.ENT.1", "DE.ENT.1"]);
});

describe("who wrote a message changes it, and nobody else", () => {
  const rows: [name: string, writer: Partial<Sender>, editor: Partial<Sender>, may: boolean][] = [
    ["the same user id", { userId: "DE.1" }, { userId: "DE.1" }, true],
    ["another user id", { userId: "DE.1" }, { userId: "DE.2" }, false],
    ["the same LID", { lid: "1@lid" }, { lid: "1@lid" }, true],
    ["another LID", { lid: "1@lid" }, { lid: "2@lid" }, false],
    ["a LID for a user id", { userId: "DE.1" }, { lid: "1@lid" }, false],
    ["the same number", one, one, true],
    ["another number", one, other, false],
    [
      "another number with the user id",
      { ...one, userId: "DE.1" },
      { ...other, userId: "DE.1" },
      false,
    ],
    ["the other of two identities", { userId: "DE.1", lid: "1@lid" }, { lid: "1@lid" }, true],
    ["nobody at all", one, {}, false],
  ];
  test.each(rows)("%s", async (_, writer, editor, may) => {
    const group = { kind: "group" as const, id: "1203@g.us" };
    const { id } = await write(writer, { chat: group });
    const { amended } = await take({ kind: "edit", targetId: id, text: "x", sender: who(editor) });
    expect(amended).toBe(may ? 1 : 0);
  });
});

test("what is known of a person is said with each message, however little the platform says", async () => {
  const { chat } = await write({ ...one, userId: "DE.1", lid: "1@lid", username: "ada" });
  const all = { ...one, userId: "DE.1", lid: "1@lid", username: "ada" };
  for (const little of [one, { userId: "DE.1" }, { lid: "1@lid" }]) {
    for (let i = 0; i < 2; i++) expect((await write(little)).chat).toBe(chat);
    // Written to by an operator, who knows as little.
    const recipient = { kind: "direct" as const, phone: null, userId: null, lid: null, ...little };
    expect(await trial.store.openChat(cloud, recipient)).toBe(chat);
    expect((await write(little)).chat).toBe(chat);
  }
  const senders = trial.store.pendingMessages(chat, 10).map(({ message }) => message.sender);
  expect(senders).toHaveLength(10);
  for (const sender of senders) expect(sender).toMatchObject(all);
});

test.each([
  ["LID", { lid: "2@lid" }, { userId: "DE.2", lid: null }],
  ["user id", { userId: "DE.2" }, { userId: null, lid: "2@lid" }],
])("who loses a %s to another keeps the rest", async (_, lost, kept) => {
  const his = await write({ ...other, userId: "DE.2", lid: "2@lid" });
  await write({ ...one, ...lost });
  expect(trial.store.chat(his.chat)?.recipient).toMatchObject({ ...other, ...kept });
});

test("an identity that somebody lost is not said of them any more", async () => {
  const recipient = { kind: "direct" as const, ...other, userId: null, lid: null };
  await write({ ...other, lid: "2@lid" });
  const chat = await trial.store.openChat(cloud, recipient);
  await write({ ...one, lid: "2@lid" });
  await write(other);
  const senders = trial.store.pendingMessages(chat, 9).map(({ message }) => message.sender.lid);
  expect(senders).toEqual(["2@lid", null]);
});

test("a number that became known later leads to its chat", async () => {
  const { chat } = await write({ userId: "DE.1" });
  await write({ ...one, userId: "DE.1" });
  expect((await write(one)).chat).toBe(chat);
});

describe("an identity that changes", () => {
  const changed = (
    previous: { previousUserId: string | null; previousPhone: string | null },
    next: Partial<Sender>,
  ) => take({ kind: "identity", sender: who(next), ...previous });

  test("leaves the others as they are", async () => {
    const { chat } = await write({ ...one, userId: "DE.1", lid: "1@lid", username: "ada" });
    await changed({ previousUserId: "DE.1", previousPhone: null }, { userId: "DE.9" });
    const { recipient } = trial.store.chat(chat) ?? {};
    expect(recipient).toEqual({ kind: "direct", ...one, userId: "DE.9", lid: "1@lid" });
    await changed({ previousUserId: null, previousPhone: one.phone }, other);
    expect(trial.store.chat(chat)?.recipient).toEqual({
      kind: "direct",
      ...other,
      userId: "DE.9",
      lid: "1@lid",
    });
    await write({ ...other, userId: "DE.9" });
    expect(trial.store.pendingMessages(chat, 9).at(-1)?.message.sender).toMatchObject({
      lid: "1@lid",
      username: "ada",
    });
  });

  test("of someone who is not known costs nothing of what comes beside it", async () => {
    const sender = who({ userId: "DE.9" });
    const event: InboundEvent = {
      kind: "identity",
      sender,
      previousUserId: "DE.8",
      previousPhone: null,
    };
    const events: InboundEvent[] = [event, { kind: "message", message: message() }];
    expect((await trial.store.accept(cloud, events, everybody)).admitted).toHaveLength(1);
  });
});

test("the form of a number that was seen first is the one that is answered", async () => {
  const { chat } = await write({ phone: "+551187654321" });
  expect((await write({ phone: "+5511987654321" })).chat).toBe(chat);
  expect(trial.store.chat(chat)?.recipient).toMatchObject({ phone: "+551187654321" });
});

test("a new user name is learnt of someone who is known", async () => {
  const { chat } = await write({ ...one, username: "ada" });
  await write({ ...one, username: "ada" });
  await write({ ...one, username: "ada.l" });
  await write({ ...one, username: null });
  trial.reopen();
  await write({ ...one, username: null });
  const names = trial.store.pendingMessages(chat, 9).map(({ message }) => message.sender.username);
  expect(names.slice(3)).toEqual(["ada.l", "ada.l"]);
});
