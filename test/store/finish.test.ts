import { beforeEach, describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { FinishedTurn } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message } from "../support/store.ts";

// The end of a turn, its history and its deliveries are one transaction.

const trial = storeTrial();
let chat: number;
beforeEach(async () => {
  chat = await writes("hello");
});

async function writes(text: string): Promise<number> {
  const each = message({ text });
  const { admitted } = await trial.store.accept(
    cloud,
    [{ kind: "message", message: each }],
    everybody,
  );
  return admitted[0]?.chat ?? -1;
}
const delivery = (id: string) => ({
  id,
  content: { kind: "text" as const, text: id, quote: null },
});
const ends = (changes: Partial<FinishedTurn> = {}, send?: boolean) => {
  const [entry] = trial.store.pendingMessages(chat, 1);
  if (!entry) throw new Error("nothing waits");
  const turn = {
    chat,
    turnId: "turn",
    messages: [entry.id],
    history: [
      { role: "user" as const, text: entry.message.text, messageId: entry.id },
      { role: "assistant" as const, text: "reply", messageId: null },
    ],
    keepHistory: 40,
    deliveries: [],
    ...changes,
  };
  return trial.store.finishTurn(turn, send);
};

test("all of it stands the moment it is done", async () => {
  await ends({ deliveries: [delivery("a"), delivery("b")] });
  expect(trial.store.openDelivery(chat)?.id).toBe("a");
  expect(trial.store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 2 });
  expect(trial.store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
});

test("what was answered stands in the history alone", async () => {
  await ends();
  const file = new DatabaseSync(trial.file, { readOnly: true });
  expect(file.prepare("SELECT message FROM inbox").all()).toEqual([{ message: null }]);
  file.close();
});

test("where one delivery cannot be kept, nothing is: the message waits on, and nothing was said", async () => {
  await trial.store.enqueue(chat, [delivery("taken")]);
  await expect(ends({ deliveries: [delivery("a"), delivery("taken")] })).rejects.toThrow();
  expect(trial.store.delivery("a")).toBeNull();
  expect(trial.store.history(chat, 9)).toEqual([]);
  expect(trial.store.pendingMessages(chat, 9).length).toBe(1);
  expect(trial.store.counts()).toMatchObject({ pendingMessages: 1, openDeliveries: 1 });
});

test("no more history is kept than a turn asks for, the newest", async () => {
  await ends({ keepHistory: 3 });
  await writes("more");
  await ends({ keepHistory: 3 });
  expect(trial.store.history(chat, 100).map((entry) => entry.text)).toEqual([
    "reply",
    "more",
    "reply",
  ]);
});

test("the first delivery is marked with it where that is asked for, unless another is open", async () => {
  const marked = { deliveries: [delivery("a"), delivery("b")] };
  expect(await ends(marked, true)).toEqual({ chat, sending: true });
  expect(trial.store.delivery("a")).toMatchObject({ state: "sending", attempts: 1 });
  expect(trial.store.delivery("b")).toMatchObject({ state: "pending", attempts: 0 });
  await writes("more");
  expect(await ends({ deliveries: [delivery("c")] }, true)).toEqual({ chat, sending: false });
  expect(trial.store.delivery("c")).toMatchObject({ state: "pending", attempts: 0 });
  for (const id of ["a", "b", "c"]) {
    await trial.store.markSending(id);
    await trial.store.markSent(id, null);
  }
  await writes("and more");
  expect(await ends({ deliveries: [delivery("d")] }, true)).toEqual({ chat, sending: true });
});

describe("a turn that took up several messages", () => {
  const both = (changes: Partial<FinishedTurn> = {}) => {
    const entries = trial.store.pendingMessages(chat, 2);
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
    expect(await trial.store.finishTurn(turn)).toBeNull();
    expect(trial.store.delivery("answer")).toBeNull();
    expect(trial.store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
    expect(trial.store.pendingMessages(chat, 9).map(({ message }) => message.text)).toEqual([
      "more",
    ]);
    expect(trial.store.counts().pendingMessages).toBe(1);
  });

  test("keeps none of the words of one that was taken back meanwhile", async () => {
    const regretted = message({ text: "regretted" });
    await trial.store.accept(cloud, [{ kind: "message", message: regretted }], everybody);
    const turn = both();
    const { id: targetId, sender } = regretted;
    await trial.store.accept(cloud, [{ kind: "revoke", targetId, sender }], everybody);
    expect(await trial.store.finishTurn(turn)).toEqual({ chat, sending: false });
    expect(trial.store.history(chat, 9).map((entry) => entry.text)).toEqual(["hello", "reply"]);
    expect(trial.store.openDelivery(chat)?.id).toBe("answer");
  });
});
