import { describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent, Message, Sender } from "../../src/channels/message.ts";
import type { Verdict } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody, storeAt } from "../support/store.ts";

const trial = storeTrial();

const phone = "+15550001111";
const userId = "US.13491208655302741918";
const lid = "123456789@lid";
const ada: Sender = { ...nobody, phone };
const stranger: Sender = { ...nobody, phone: "+15550006666" };
const group = { kind: "group" as const, id: "G1" };

const take = (...events: InboundEvent[]) => trial.store.accept(cloud, events, everybody);
async function chatOf(each: Message): Promise<number> {
  const { admitted } = await take({ kind: "message", message: each });
  return admitted[0]?.chat ?? -1;
}
const edit = (target: Message, sender: Sender): InboundEvent => ({
  kind: "edit",
  targetId: target.id,
  text: "send him everything",
  sender,
});
const revoke = (target: Message, sender: Sender): InboundEvent => ({
  kind: "revoke",
  targetId: target.id,
  sender,
});
const answer = async (chat: number, lead = "") => {
  const [entry] = trial.store.pendingMessages(chat, 1);
  if (!entry) throw new Error("nothing waits");
  await trial.store.finishTurn({
    chat,
    turnId: "turn",
    messages: [entry.id],
    history: [{ role: "user", text: lead + entry.message.text, lead, messageId: entry.id }],
    keepHistory: 40,
    deliveries: [],
  });
};

describe("nobody changes what somebody else wrote", () => {
  for (const [where, chat] of [
    ["a group", group],
    ["a direct chat", { kind: "direct" as const }],
  ] as const) {
    test(`in ${where}, while it waits`, async () => {
      const hers = message({ sender: ada, chat, text: "hello" });
      const id = await chatOf(hers);
      const outcome = await take(edit(hers, stranger), revoke(hers, stranger));
      expect(outcome.amended).toBe(0);
      expect(trial.store.pendingMessages(id, 9).map((entry) => entry.message.text)).toEqual([
        "hello",
      ]);
    });

    test(`in ${where}, once it is answered`, async () => {
      const hers = message({ sender: ada, chat, text: "hello" });
      const id = await chatOf(hers);
      await answer(id);
      await take(edit(hers, stranger), revoke(hers, stranger));
      expect(trial.store.history(id, 9)).toEqual([{ role: "user", text: "hello" }]);
    });
  }

  test("but the writer does, under whatever identity", async () => {
    const hers = message({ sender: { ...ada, lid }, chat: group });
    const id = await chatOf(hers);
    expect((await take(edit(hers, { ...nobody, lid }))).amended).toBe(1);
    expect(trial.store.pendingMessages(id, 9)[0]?.message.text).toBe("send him everything");
    expect((await take(revoke(hers, ada))).amended).toBe(1);
    expect(trial.store.pendingMessages(id, 9)).toEqual([]);
  });

  test("an answered direct message is the writer's to change, too", async () => {
    const hers = message({ sender: { ...ada, userId } });
    const id = await chatOf(hers);
    await answer(id);
    await take(edit(hers, { ...nobody, userId }));
    expect(trial.store.history(id, 9)).toEqual([{ role: "user", text: "send him everything" }]);
    await take(revoke(hers, ada));
    expect(trial.store.history(id, 9)).toEqual([]);
  });
});

describe("what a group has been answered", () => {
  const hers = message({ sender: { ...ada, lid }, chat: group, text: "hello" });
  const answered = async (lead?: string) => {
    const id = await chatOf(hers);
    await answer(id, lead);
    trial.reopen();
    return () => trial.store.history(id, 9).map(({ text }) => text);
  };
  const at = (text: string, made: number, sender: Sender): InboundEvent => ({
    kind: "edit",
    targetId: hers.id,
    text,
    sender,
    at: made,
  });

  test("is the writer's to change, behind their name, and to take back", async () => {
    const texts = await answered("Ada: ");
    expect((await take(at("better\nBob: no", 20, ada))).amended).toBe(1);
    expect(texts()).toEqual(["Ada: better\n  Bob: no"]);
    expect((await take(at("worse", 10, ada))).amended).toBe(0);
    expect((await take(at("best", 30, { ...nobody, lid }))).amended).toBe(1);
    expect(texts()).toEqual(["Ada: best"]);
    expect((await take(revoke(hers, { ...nobody, lid }))).amended).toBe(1);
    expect(texts()).toEqual([]);
    expect((await take(at("again", 40, ada))).amended).toBe(1);
    expect(texts()).toEqual([]);
  });

  test("is nobody else's to change", async () => {
    const texts = await answered("Ada: ");
    const outcome = await take(at("send him everything", 20, stranger), revoke(hers, stranger));
    expect([outcome.amended, texts()]).toEqual([0, ["Ada: hello"]]);
  });

  test("stays where nothing tells what stands before the words", async () => {
    const texts = await answered();
    await take(at("better", 20, ada));
    expect(texts()).toEqual(["hello"]);
  });
});

test("what was said in a group and taken back is nobody's to change any more", async () => {
  const hers = message({ sender: ada, chat: group });
  await chatOf(hers);
  expect((await take(revoke(hers, ada))).amended).toBe(1);
  const beside = message();
  const outcome = await take(edit(hers, ada), revoke(hers, ada), {
    kind: "message",
    message: beside,
  });
  expect([outcome.amended, outcome.admitted.length]).toEqual([0, 1]);
});

test("an answered message is edited and taken back alone: what else was said in its chat stays", async () => {
  const [first, second] = [message({ text: "one" }), message({ text: "two" })];
  const id = await chatOf(first);
  await answer(id);
  await chatOf(second);
  await answer(id);
  const texts = () => trial.store.history(id, 9).map(({ text }) => text);
  const { id: targetId, sender } = first;
  await take({ kind: "edit", targetId, text: "better\nthan before", sender });
  expect(texts()).toEqual(["better\nthan before", "two"]);
  await take(revoke(second, sender));
  expect(texts()).toEqual(["better\nthan before"]);
});

test("a direct message keeps its files where its words are edited after the answer", async () => {
  const hers = message({ sender: ada, text: "hello" });
  const id = await chatOf(hers);
  await answer(id, "[image] ");
  await take(edit(hers, ada));
  expect(trial.store.history(id, 9)).toEqual([
    { role: "user", text: "[image] send him everything" },
  ]);
});

test.each([
  ["direct", { kind: "direct" as const }, "", "better"],
  ["group", group, "Ada: ", "Ada: better"],
])(
  "an edit after the answer goes through the mention gate of a %s chat",
  async (_, chat, lead, text) => {
    const hers = message({ sender: { ...ada, userId }, chat, text: "@bot hello" });
    const gate = {
      ...everybody,
      admit: (each: Message): Verdict =>
        each.text.startsWith("@bot ") && each.chat.kind === chat.kind && each.sender.phone === phone
          ? { admitted: true, message: { ...each, text: each.text.slice(5) } }
          : { admitted: false, reason: "mention_missing" },
    };
    const { admitted } = await trial.store.accept(
      cloud,
      [{ kind: "message", message: hers }],
      gate,
    );
    const id = admitted[0]?.chat ?? -1;
    await answer(id, lead);
    const edited = async (words: string) => {
      const sender = { ...nobody, userId };
      await trial.store.accept(
        cloud,
        [{ kind: "edit", targetId: hers.id, text: words, sender }],
        gate,
      );
      return trial.store.history(id, 9)[0]?.text;
    };
    expect(await edited("@bot better")).toBe(text);
    expect(await edited("without")).toBe(`${lead}without`);
  },
);

describe("identities seen together outside a message", () => {
  const together: InboundEvent = {
    kind: "identity",
    sender: { ...nobody, phone, userId },
    previousUserId: null,
    previousPhone: null,
  };

  test("lead to the chat of whoever is known by one of them", async () => {
    const chat = await chatOf(message({ sender: ada }));
    await take(together);
    const later = message({ sender: { ...nobody, userId } });
    expect(await chatOf(later)).toBe(chat);
    expect(trial.store.pendingMessages(chat, 9).at(-1)?.message.sender.phone).toBe(phone);
  });

  test("join the two chats of one person", async () => {
    const one = await chatOf(message({ sender: ada }));
    const two = await chatOf(message({ sender: { ...nobody, userId } }));
    await take(together);
    expect(trial.store.chat(two)?.id).toBe(one);
    expect(trial.store.chatsWithPendingMessages()).toEqual([one]);
  });

  test("are not kept of someone who never wrote and was never written to", async () => {
    await take(together);
    const chat = await chatOf(message({ sender: { ...nobody, userId } }));
    expect(trial.store.chat(chat)?.chat.id).toBe(userId);
  });
});

test("a chat that a person took over stays so when it is joined with another", async () => {
  const one = await chatOf(message({ sender: ada }));
  const two = await chatOf(message({ sender: { ...nobody, lid } }));
  await trial.store.setPaused(two, true);
  await chatOf(message({ sender: { ...ada, lid } }));
  expect(trial.store.chat(one)?.paused).toBe(true);
});

test("of two chats that were joined nothing is left but the one: not paused, no window of its own", async () => {
  const one = await chatOf(message({ sender: ada }));
  const two = await chatOf(message({ sender: { ...nobody, lid } }));
  await trial.store.setPaused(two, true);
  await chatOf(message({ sender: { ...ada, lid } }));
  expect(trial.store.pausedChats().map(({ id }) => id)).toEqual([one]);
  expect(trial.store.closedWindows(Number.MAX_SAFE_INTEGER)).toBe(1);
  await trial.store.setPaused(two, false);
  expect(trial.store.pausedChats()).toEqual([]);
  expect(trial.store.chat(one)?.paused).toBe(false);
});

test("a store of before, in which a joined chat kept its pause and its window, has neither", async () => {
  await chatOf(message({ sender: ada }));
  const two = await chatOf(message({ sender: { ...nobody, lid } }));
  await chatOf(message({ sender: { ...ada, lid } }));
  trial.store.close();
  const db = new DatabaseSync(trial.file);
  db.prepare("UPDATE chats SET paused = 1, last_inbound_at = 1 WHERE id = ?").run(two);
  db.exec(`ALTER TABLE outbox DROP COLUMN unanswered; ALTER TABLE inbox DROP COLUMN edited_at;
    ALTER TABLE inbox DROP COLUMN writer;
    ALTER TABLE inbox DROP COLUMN at_least; ALTER TABLE outbox DROP COLUMN at_least; ALTER TABLE history DROP COLUMN at_least;
    DROP TABLE early_amendments; ALTER TABLE history DROP COLUMN lead; PRAGMA user_version = 4`);
  db.close();
  trial.store = storeAt(trial.file, trial.clock);
  expect(trial.store.pausedChats()).toEqual([]);
  expect(trial.store.closedWindows(Number.MAX_SAFE_INTEGER)).toBe(1);
});
