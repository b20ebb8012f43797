import { describe, expect, test } from "bun:test";
import type { Message, Sender } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { acceptTrial } from "../support/accept-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const { trial, accept, chatOf, finish } = acceptTrial();

describe("one person has one chat", () => {
  const phone = "+15550001111";
  const userId = "US.13491208655302741918";
  const lid = "123456789@lid";
  const both = { ...nobody, phone, userId };

  test("a BSUID seen with a number leads to that number's chat later", async () => {
    const chat = await chatOf(message({ sender: both }));
    const seen: Message[] = [];
    await accept([message({ sender: { ...nobody, userId } })], {
      ...everybody,
      admit: (each) => {
        seen.push(each);
        return { admitted: true, message: each };
      },
    });
    expect(seen[0]?.sender.phone).toBe(phone);
    expect(trial.store.pendingMessages(chat, 9).length).toBe(2);
  });

  test("a refused sender is not remembered", async () => {
    const refuse: AcceptRules = { ...everybody, admit: () => ({ admitted: false, reason: "no" }) };
    await accept([message({ sender: both })], refuse);
    const chat = await chatOf(message({ sender: { ...nobody, userId } }));
    expect(trial.store.chat(chat)?.chat.id).toBe(userId);
  });

  test("a BSUID that wrote first keeps its chat when its number becomes known", async () => {
    const early = await chatOf(message({ sender: { ...nobody, userId } }));
    expect(trial.store.chat(early)?.chat.id).toBe(userId);
    const later = await chatOf(message({ sender: both }));
    expect(trial.store.chat(later)?.chat.id).toBe(phone);
    expect(trial.store.pendingMessages(later, 9).length).toBe(2);
  });

  test("two chats become one when their people turn out to be one, in order", async () => {
    const first = message({ sender: { ...nobody, phone } });
    const second = message({ sender: { ...nobody, lid } });
    await accept([first, second]);
    const third = message({ sender: { ...nobody, phone, lid } });
    const chat = await chatOf(third);
    expect(trial.store.pendingMessages(chat, 9).map((entry) => entry.message.id)).toEqual([
      first.id,
      second.id,
      third.id,
    ]);
    expect(trial.store.chatsWithPendingMessages()).toEqual([chat]);
  });

  test("a turn that began before the joining ends in the joined chat", async () => {
    await chatOf(message({ sender: { ...nobody, phone } }));
    const old = await chatOf(message({ sender: { ...nobody, lid } }));
    const [entry] = trial.store.pendingMessages(old, 1);
    const joined = await chatOf(message({ sender: { ...nobody, phone, lid } }));
    const turn = {
      chat: old,
      turnId: "turn",
      messages: [entry?.id ?? 0],
      history: [],
      keepHistory: 40,
      deliveries: [{ id: "d", content: { kind: "text" as const, text: "hi", quote: null } }],
    };
    const ended = await trial.store.finishTurn(turn, true);
    expect(ended).toEqual({ chat: joined, sending: false });
    expect(await finish(joined, [entry?.id ?? 0])).toBeNull();
    expect(trial.store.openDelivery(joined)?.id).toBe("d");
  });

  test("what was settled before the joining is still found in the joined chat", async () => {
    await chatOf(message({ sender: { ...nobody, phone } }));
    const early = message({ sender: { ...nobody, lid } });
    const old = await chatOf(early);
    await trial.store.finishTurn({
      chat: old,
      turnId: "turn",
      messages: [trial.store.pendingMessages(old, 1)[0]?.id ?? 0],
      history: [
        {
          role: "user",
          text: early.text,
          messageId: trial.store.pendingMessages(old, 1)[0]?.id ?? 0,
        },
      ],
      keepHistory: 40,
      deliveries: [{ id: "d", content: { kind: "text", text: "hi", quote: null } }],
    });
    await trial.store.markSending("d");
    const failure = { retry: "no" as const, afterMs: null, code: "131026", hint: "undeliverable" };
    await trial.store.markFailed("d", failure);
    const joined = await chatOf(message({ sender: { ...nobody, phone, lid } }));
    expect(joined).not.toBe(old);
    const { sender } = early;
    await trial.store.accept(
      cloud,
      [{ kind: "edit", targetId: early.id, text: "better", sender }],
      everybody,
    );
    expect(trial.store.history(joined, 9)).toEqual([{ role: "user", text: "better" }]);
    expect(trial.store.failedDeliveries(9)[0]?.chat).toBe(joined);
    await trial.store.redeliver("d");
    expect(trial.store.openDelivery(joined)?.id).toBe("d");
  });

  test("a BSUID that moves to another number does not merge two people", async () => {
    const hers = await chatOf(message({ sender: both }));
    const his = await chatOf(message({ sender: { ...nobody, phone: "+15550002222", userId } }));
    expect(his).not.toBe(hers);
    expect(trial.store.chat(hers)?.chat.id).toBe(phone);
    expect(trial.store.chat(his)?.recipient).toMatchObject({ phone: "+15550002222", userId });
    expect(trial.store.chat(hers)?.recipient).toMatchObject({ phone, userId: null });
  });

  test("both forms of a Brazilian number are one chat, under the form seen first", async () => {
    const one = await chatOf(message({ sender: { ...nobody, phone: "+5511912345678" } }));
    const two = await chatOf(message({ sender: { ...nobody, phone: "+551112345678" } }));
    expect(two).toBe(one);
    expect(trial.store.chat(two)?.chat.id).toBe("+5511912345678");
  });

  test("a changed BSUID leads to the same chat", async () => {
    const chat = await chatOf(message({ sender: both }));
    const next = "US.999";
    await trial.store.accept(
      cloud,
      [
        {
          kind: "identity",
          sender: { ...nobody, userId: next },
          previousUserId: userId,
          previousPhone: null,
        },
      ],
      everybody,
    );
    expect(await chatOf(message({ sender: { ...nobody, userId: next } }))).toBe(chat);
  });

  test("a change to what is somebody else's changes nothing, and costs no neighbour", async () => {
    const chat = await chatOf(message({ sender: both }));
    const other = { ...nobody, phone: "+15550007777", userId: "US.777" };
    const others = await chatOf(message({ sender: other }));
    const neighbour = message({ sender: other });
    const taken = (sender: Partial<Sender>) =>
      ({
        kind: "identity",
        sender: { ...nobody, ...sender },
        previousUserId: userId,
        previousPhone: null,
      }) as const;
    const outcome = await trial.store.accept(
      cloud,
      [
        taken({ userId: other.userId }),
        taken({ phone: other.phone }),
        { kind: "message", message: neighbour },
      ],
      everybody,
    );
    expect(outcome.admitted.map((entry) => entry.chat)).toEqual([others]);
    expect(await chatOf(message({ sender: { ...nobody, userId } }))).toBe(chat);
    expect(trial.store.chat(others)?.chat.id).toBe(other.phone);
  });

  test("a message from the future opens no longer window", async () => {
    const later = Math.floor(trial.clock.now() / 1000) + 30 * 86_400;
    const chat = await chatOf(message({ sender: both, timestamp: later }));
    expect(trial.store.chat(chat)?.lastInboundAt).toBe(trial.clock.now());
  });

  test("a group is its own chat whoever writes", async () => {
    const group = { kind: "group" as const, id: "G1" };
    const one = await chatOf(message({ chat: group }));
    const two = await chatOf(message({ chat: group, sender: both }));
    expect(two).toBe(one);
    expect(trial.store.chat(one)?.chat).toEqual({ kind: "group", id: "G1" });
  });
});
