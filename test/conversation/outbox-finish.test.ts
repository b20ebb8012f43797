import { describe, expect, spyOn, test } from "bun:test";
import type { SendResult } from "../../src/channels/message.ts";
import { StoreError, type ChatId, type FinishedTurn } from "../../src/store/contract.ts";
import { fakeChannel } from "../support/channel.ts";
import { fails, outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message, nobody, recipientAt } from "../support/store.ts";

// The end of a turn and the mark of its first delivery are one commit, where nothing of its chat goes before it.

const { trial, pass, queue, sentIds, states } = outboxTrial();
const phone = "+15550001111";

/** A message of this person, and the end of its turn with these deliveries. */
async function turnOf(phone: string, ...ids: string[]): Promise<FinishedTurn> {
  const asked = message({ sender: { ...nobody, phone } });
  const { admitted } = await trial.store.accept(
    cloud,
    [{ kind: "message", message: asked }],
    everybody,
  );
  const chat = admitted[0]?.chat ?? -1;
  return {
    chat,
    turnId: `turn ${asked.id}`,
    messages: trial.store.pendingMessages(chat, 9).map(({ id }) => id),
    history: [],
    keepHistory: 40,
    deliveries: ids.map((id) => ({ id, content: { kind: "text", text: id, quote: null } })),
  };
}

test("an answer is marked with the end of its turn, and sent once that is stored", async () => {
  const turn = await turnOf(phone, "a", "b");
  const mark = spyOn(trial.store, "markSending");
  const seen: unknown[] = [];
  trial.channel.onSend = ({ id }) => {
    const { state, attempts } = trial.store.delivery(id) ?? {};
    seen.push({ id, state, attempts });
  };
  expect(await trial.outbox.finish(turn)).toBe(turn.chat);
  await settle();
  expect(seen).toEqual([
    { id: "a", state: "sending", attempts: 1 },
    { id: "b", state: "sending", attempts: 1 },
  ]);
  expect(mark.mock.calls).toEqual([["b"]]);
  expect(states("a", "b")).toEqual(["sent", "sent"]);
  await trial.outbox.finish(await turnOf(phone, "c"));
  await settle();
  expect([states("c"), mark.mock.calls]).toEqual([["sent"], [["b"]]]);
});

test("nothing is sent before the end of its turn is stored", async () => {
  const turn = await turnOf(phone, "a");
  const stored = Promise.withResolvers<void>();
  const finish = trial.store.finishTurn.bind(trial.store);
  spyOn(trial.store, "finishTurn").mockImplementation(async (...given) => {
    const ended = await finish(...given);
    await stored.promise;
    return ended;
  });
  const finished = trial.outbox.finish(turn);
  await settle();
  expect(sentIds()).toEqual([]);
  stored.resolve();
  await finished;
  expect(sentIds()).toEqual(["a"]);
});

test("a first try that fails is tried again in its time, and counted once", async () => {
  trial.channel.answers = [fails("backoff")];
  await trial.outbox.finish(await turnOf(phone, "a", "b"));
  await settle();
  expect(trial.store.delivery("a")).toMatchObject({ state: "pending", attempts: 1 });
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "a", "b"]);
});

test("a first try that could not even leave waits out its pause", async () => {
  trial.channel.answers = [fails("unsent")];
  await trial.outbox.finish(await turnOf(phone, "a", "b"));
  await settle();
  expect([sentIds(), states("a", "b")]).toEqual([["a"], ["pending", "pending"]]);
  await pass(3_000);
  expect(sentIds()).toEqual(["a", "a", "b"]);
});

test("a turn with nothing to say ends with nothing to send", async () => {
  const turn = await turnOf(phone);
  expect(await trial.outbox.finish(turn)).toBe(turn.chat);
  expect(trial.store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 0 });
});

describe("it waits for its turn among what goes before it", () => {
  test("what is under way in its chat", async () => {
    const gate = Promise.withResolvers<SendResult>();
    trial.channel.answers = [gate.promise];
    await trial.outbox.finish(await turnOf(phone, "a"));
    await trial.outbox.finish(await turnOf(phone, "b"));
    await settle();
    expect(states("a", "b")).toEqual(["sending", "pending"]);
    gate.resolve({ ok: true, platformId: "wamid" });
    await settle();
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("what was sent, until that is noted", async () => {
    const noted = Promise.withResolvers<void>();
    const note = trial.store.markSent.bind(trial.store);
    spyOn(trial.store, "markSent").mockImplementationOnce(async (...given) => {
      const ending = await note(...given);
      await noted.promise;
      return ending;
    });
    await trial.outbox.finish(await turnOf(phone, "a"));
    await settle();
    await trial.outbox.finish(await turnOf(phone, "b"));
    await settle();
    const before = [sentIds(), states("a", "b")];
    noted.resolve();
    await settle();
    expect(before).toEqual([["a"], ["sent", "pending"]]);
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("what waits for its next try", async () => {
    trial.channel.answers = [fails("backoff")];
    trial.outbox.wake(await queue(phone, "a"));
    await settle();
    await trial.outbox.finish(await turnOf(phone, "b"));
    expect(states("a", "b")).toEqual(["pending", "pending"]);
    await pass(2_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
  });

  test("what a person sends in the moment the turn ends", async () => {
    const turn = await turnOf(phone, "b");
    const queued = queue(phone, "a").then((chat) => trial.outbox.wake(chat));
    await Promise.all([queued, trial.outbox.finish(turn)]);
    await settle();
    expect(sentIds().toSorted()).toEqual(["a", "b"]);
    expect(states("a", "b")).toEqual(["sent", "sent"]);
  });

  test("a channel that is not ready, or does not run", async () => {
    const ready = trial.channel.status();
    trial.channel.status = () => ({ ...ready, state: "connecting" });
    await trial.outbox.finish(await turnOf(phone, "a"));
    expect(states("a")).toEqual(["pending"]);
    trial.channel.status = () => ready;
    trial.outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual(["a"]);
  });

  test("an account that is held", async () => {
    trial.channel.answers = [fails("hold")];
    trial.channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    trial.outbox.wake(await queue("+15550002222", "held"));
    await settle();
    await trial.outbox.finish(await turnOf(phone, "a"));
    await settle();
    expect([sentIds(), states("a")]).toEqual([["held"], ["pending"]]);
    trial.channel.probing = null;
    await pass(3_000);
    expect(sentIds().slice(1).toSorted()).toEqual(["a", "held"]);
  });

  test("the pace of its recipient", async () => {
    trial.channel = fakeChannel({
      pace: { perSecond: 80, recipientIntervalMs: 6_000, recipientBurst: 1 },
    });
    await trial.outbox.finish(await turnOf(phone, "a"));
    await settle();
    await trial.outbox.finish(await turnOf(phone, "b"));
    await settle();
    expect([sentIds(), states("b")]).toEqual([["a"], ["pending"]]);
    await pass(6_001);
    expect(sentIds()).toEqual(["a", "b"]);
  });
});

describe("where the end of a turn is not kept", () => {
  /** How many may be under way at once: each place must have been given back. */
  const places = 64;
  const endsInVain = async (turns: FinishedTurn[]) => {
    for (const turn of turns) {
      await trial.outbox.finish(turn).catch((error) => expect(error).toBeInstanceOf(StoreError));
    }
    await settle();
    expect(sentIds()).toEqual([]);
  };

  test.each([
    ["the store is full", () => Promise.reject(new StoreError("full", "full"))],
    ["another turn has answered", () => Promise.resolve(null)],
  ])("%s: nothing is sent, and nothing is held up", async (_, kept) => {
    const turn = await turnOf(phone, "a");
    const finish = spyOn(trial.store, "finishTurn").mockImplementation(kept);
    await endsInVain(Array.from({ length: places + 1 }, () => turn));
    finish.mockRestore();
    await trial.outbox.finish(turn);
    await settle();
    expect([sentIds(), states("a")]).toEqual([["a"], ["sent"]]);
  });

  test("a store that cannot be read costs no answer", async () => {
    const turn = await turnOf(phone, "a");
    spyOn(trial.store, "chat").mockImplementationOnce(() => {
      throw new Error("disk I/O error");
    });
    expect(await trial.outbox.finish(turn)).toBe(turn.chat);
    await settle();
    expect(sentIds()).toEqual(["a"]);
  });

  test("what was woken meanwhile goes out", async () => {
    const turn = await turnOf(phone, "a");
    spyOn(trial.store, "finishTurn").mockImplementation(async () => {
      trial.outbox.wake(await queue(phone, "sent by a person"));
      throw new StoreError("full", "full");
    });
    await expect(trial.outbox.finish(turn)).rejects.toThrow("full");
    await settle();
    expect(sentIds()).toEqual(["sent by a person"]);
  });
});

/** Two chats are one person's, as is learnt in the commit that ends the turn of the one known by user id. */
async function finishesAsJoined(userId: string, chat: ChatId, delivery: string) {
  const messages = trial.store.pendingMessages(chat, 9).map(({ id }) => id);
  const sender = { ...nobody, phone, userId };
  const joined = trial.store.accept(
    cloud,
    [{ kind: "identity", sender, previousUserId: null, previousPhone: null }],
    everybody,
  );
  const ended = await trial.outbox.finish({
    chat,
    turnId: "turn",
    messages,
    history: [],
    keepHistory: 40,
    deliveries: [{ id: delivery, content: { kind: "text", text: delivery, quote: null } }],
  });
  await joined;
  await settle();
  return ended;
}

test.each([
  ["the chat of the answer", { turnFirst: true }],
  ["the other chat", { turnFirst: false }],
])("where two chats are joined meanwhile and %s stays, order is kept", async (_, { turnFirst }) => {
  const userId = "US.13491208655302741918";
  if (!turnFirst) await trial.store.openChat(cloud, recipientAt(phone));
  const asked = message({ sender: { ...nobody, userId } });
  await trial.store.accept(cloud, [{ kind: "message", message: asked }], everybody);
  const [chat = -1] = trial.store.chatsWithPendingMessages();
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = [gate.promise];
  trial.outbox.wake(await queue(phone, "first"));
  await settle();
  const ended = await finishesAsJoined(userId, chat, "second");
  const before = [ended === chat, sentIds(), states("second")];
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(before).toEqual([turnFirst, ["first"], ["pending"]]);
  expect(sentIds()).toEqual(["first", "second"]);
});

test("an answer whose chat is joined with another in the very commit goes out there", async () => {
  const userId = "US.13491208655302741918";
  await trial.store.openChat(cloud, recipientAt(phone));
  const asked = message({ sender: { ...nobody, userId } });
  await trial.store.accept(cloud, [{ kind: "message", message: asked }], everybody);
  const [chat = -1] = trial.store.chatsWithPendingMessages();
  const ended = await finishesAsJoined(userId, chat, "answer");
  expect(ended).not.toBe(chat);
  expect([sentIds(), states("answer")]).toEqual([["answer"], ["sent"]]);
});

test("a stop waits for an answer whose turn is just being stored", async () => {
  const turn = await turnOf(phone, "a");
  const finished = trial.outbox.finish(turn);
  const drained = trial.outbox.drain(10_000);
  await Promise.all([finished, drained]);
  expect(states("a")).toEqual(["sent"]);
  await trial.outbox.finish(await turnOf("+15550002222", "b"));
  await settle();
  expect([sentIds(), states("b")]).toEqual([["a"], ["pending"]]);
});
