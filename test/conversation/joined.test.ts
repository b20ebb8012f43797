import { expect, spyOn, test } from "bun:test";
import type { AgentReply } from "../../src/agent/agent.ts";
import type { SendResult } from "../../src/channels/message.ts";
import type { ChatId } from "../../src/store/contract.ts";
import { fakeChannel } from "../support/channel.ts";
import { outboxTrial } from "../support/outbox-trial.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";
import { turnsOver } from "../support/turns.ts";

// Two chats turn out to be one person's while something of the later one is under way.

const phone = "+15550001111";
const userId = "US.13491208655302741918";

const { trial, pass, sentIds } = outboxTrial();

const chatWith = (identity: { phone?: string; userId?: string }): Promise<ChatId> =>
  trial.store.openChat(cloud, {
    kind: "direct",
    phone: null,
    userId: null,
    lid: null,
    ...identity,
  });
const joinThem = async () => {
  const sender = { ...nobody, phone, userId };
  await trial.store.accept(
    cloud,
    [{ kind: "identity", sender, previousUserId: null, previousPhone: null }],
    everybody,
  );
};
const queue = async (chat: ChatId, ...ids: string[]) => {
  const contents = ids.map((id) => ({
    id,
    content: { kind: "text" as const, text: id, quote: null },
  }));
  trial.outbox.wake(await trial.store.enqueue(chat, contents));
  await settle();
};

test("what waited for its next try goes out in the joined chat", async () => {
  await chatWith({ phone });
  const later = await chatWith({ userId });
  const failure = { retry: "backoff" as const, afterMs: null, code: "131016", hint: "later" };
  trial.channel.answers = [{ ok: false, failure }];
  await queue(later, "a", "b");
  await joinThem();
  await pass(3_000);
  expect(sentIds()).toEqual(["a", "a", "b"]);
});

test.each([
  ["same-id", []],
  ["ask", []],
  // Marked with the answer to what went before it.
  ["same-id", ["first"]],
] as const)(
  "what is under way is not sent a second time beside itself (%s, behind %p), and the next follows it",
  async (repeat, before) => {
    trial.channel = fakeChannel({ repeat, graceMs: 0 });
    const earlier = await chatWith({ phone });
    const later = await chatWith({ userId });
    const gate = Promise.withResolvers<SendResult>();
    const sent: SendResult = { ok: true, platformId: "wamid" };
    trial.channel.answers = [...before.map(() => sent), gate.promise];
    await queue(later, ...before, "a", "b");
    await joinThem();
    trial.outbox.wake(earlier);
    await settle();
    expect(sentIds()).toEqual([...before, "a"]);
    gate.resolve(sent);
    await settle();
    expect(sentIds()).toEqual([...before, "a", "b"]);
  },
);

test("what is just being marked in the one is not marked after what was sent in the other", async () => {
  const earlier = await chatWith({ phone });
  const later = await chatWith({ userId });
  const gate = Promise.withResolvers<SendResult>();
  trial.channel.answers = [gate.promise];
  await queue(earlier, "a");
  const marked = Promise.withResolvers<void>();
  const mark = trial.store.markSending.bind(trial.store);
  spyOn(trial.store, "markSending").mockImplementationOnce(async (id) => {
    await marked.promise;
    return mark(id);
  });
  await queue(later, "b");
  await joinThem();
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds()).toEqual(["a"]);
  marked.resolve();
  await settle();
  expect(sentIds()).toEqual(["a", "b"]);
});

for (const debounceMs of [0, 100]) {
  test(`messages that waited behind a turn are answered in the joined chat, debounce ${debounceMs}`, async () => {
    const gate = Promise.withResolvers<AgentReply>();
    const asked: string[] = [];
    const turns = turnsOver(
      trial.store,
      () => trial.channel,
      trial.clock,
      (request) => {
        asked.push(request.messages[0]?.text ?? "");
        return asked.length === 1 ? gate.promise : Promise.resolve({ parts: [] });
      },
      { debounceMs },
    );
    const write = async (text: string) => {
      const each = message({ sender: { ...nobody, userId }, text });
      const { admitted } = await trial.store.accept(cloud, [{ kind: "message", message: each }], {
        ...everybody,
      });
      turns.wake(admitted[0]?.chat ?? -1);
      await settle();
    };
    await chatWith({ phone });
    await write("one");
    await pass(debounceMs);
    await pass(1_000);
    await write("two");
    await joinThem();
    gate.resolve({ parts: [] });
    await settle();
    await pass(debounceMs);
    await settle();
    expect(asked).toEqual(["one", "two"]);
    expect(trial.store.counts().pendingMessages).toBe(0);
    const drained = turns.drain(0);
    await pass(2_000);
    await drained;
  });
}
