import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { ConversationStore, FinishedTurn } from "../../src/store/contract.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, storeAt, temporaryFolder } from "../support/store.ts";

// The end of a turn, its history and its deliveries are one transaction.

let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let chat: number;
beforeEach(async () => {
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), fakeClock());
  chat = await writes("hello");
});
afterEach(() => {
  store.close();
  folder.remove();
});

async function writes(text: string): Promise<number> {
  const each = message({ text });
  const { admitted } = await store.accept(cloud, [{ kind: "message", message: each }], everybody);
  return admitted[0]?.chat ?? -1;
}
const delivery = (id: string) => ({
  id,
  content: { kind: "text" as const, text: id, quote: null },
});
const ends = (changes: Partial<FinishedTurn> = {}) => {
  const [entry] = store.pendingMessages(chat, 1);
  if (!entry) throw new Error("nothing waits");
  return store.finishTurn({
    chat,
    turnId: "turn",
    messages: [entry.id],
    history: [
      { role: "user", text: entry.message.text, messageId: entry.id },
      { role: "assistant", text: "reply", messageId: null },
    ],
    keepHistory: 40,
    deliveries: [],
    ...changes,
  });
};

test("all of it stands the moment it is done", async () => {
  await ends({ deliveries: [delivery("a"), delivery("b")] });
  expect(store.openDelivery(chat)?.id).toBe("a");
  expect(store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 2 });
  expect(store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
});

test("where one delivery cannot be kept, nothing is: the message waits on, and nothing was said", async () => {
  await store.enqueue(chat, [delivery("taken")]);
  const ended = ends({ deliveries: [delivery("a"), delivery("taken")] });
  expect(ended).rejects.toThrow();
  await ended.catch(() => {});
  expect(store.delivery("a")).toBeNull();
  expect(store.history(chat, 9)).toEqual([]);
  expect(store.pendingMessages(chat, 9).length).toBe(1);
  expect(store.counts()).toMatchObject({ pendingMessages: 1, openDeliveries: 1 });
});

test("no more history is kept than a turn asks for, the newest", async () => {
  await ends({ keepHistory: 3 });
  await writes("more");
  await ends({ keepHistory: 3 });
  expect(store.history(chat, 100).map((entry) => entry.text)).toEqual(["reply", "more", "reply"]);
});

describe("a turn that took up several messages", () => {
  const both = (changes: Partial<FinishedTurn> = {}) => {
    const entries = store.pendingMessages(chat, 2);
    return {
      chat,
      turnId: "both",
      messages: entries.map(({ id }) => id),
      history: [
        ...entries.map(({ id, message }) => ({
          role: "user" as const,
          text: message.text,
          messageId: id,
        })),
        { role: "assistant" as const, text: "reply", messageId: null },
      ],
      keepHistory: 40,
      deliveries: [delivery("answer")],
      ...changes,
    };
  };

  test("answers none where another turn has answered one of them: what is left gets a turn of its own", async () => {
    await writes("more");
    const turn = both();
    await ends({ deliveries: [delivery("first")] });
    expect(await store.finishTurn(turn)).toBeNull();
    expect(store.delivery("answer")).toBeNull();
    expect(store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
    expect(store.pendingMessages(chat, 9).map(({ message }) => message.text)).toEqual(["more"]);
    expect(store.counts().pendingMessages).toBe(1);
  });

  test("keeps none of the words of one that was taken back meanwhile", async () => {
    const regretted = message({ text: "regretted" });
    await store.accept(cloud, [{ kind: "message", message: regretted }], everybody);
    const turn = both();
    const { id: targetId, sender } = regretted;
    await store.accept(cloud, [{ kind: "revoke", targetId, sender }], everybody);
    expect(await store.finishTurn(turn)).toBe(chat);
    expect(store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
    expect(store.openDelivery(chat)?.id).toBe("answer");
  });
});
