import { beforeEach, describe, expect, test } from "bun:test";
import type { InboundEvent, Message, Sender } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const trial = storeTrial();

const accept = (messages: Message[], rules: AcceptRules = everybody) =>
  trial.store.accept(
    cloud,
    messages.map((each): InboundEvent => ({ kind: "message", message: each })),
    rules,
  );

/** The chat a message went to. */
async function chatOf(each: Message): Promise<number> {
  const { admitted } = await accept([each]);
  const chat = admitted[0]?.chat;
  if (chat === undefined) throw new Error("not admitted");
  return chat;
}

const finish = (chat: number, messages: number[]) =>
  trial.store.finishTurn({
    chat,
    turnId: "turn",
    messages,
    history: [],
    keepHistory: 40,
    deliveries: [],
  });

describe("a message is taken once", () => {
  test("by its platform id, also after its turn, also after a restart", async () => {
    const first = message();
    const chat = await chatOf(first);
    expect((await accept([first])).duplicates).toBe(1);
    await finish(chat, [trial.store.pendingMessages(chat, 1)[0]?.id ?? 0]);
    expect((await accept([first])).duplicates).toBe(1);
    trial.reopen();
    expect((await accept([first])).duplicates).toBe(1);
    expect(trial.store.counts().pendingMessages).toBe(0);
  });

  test("within one batch", async () => {
    const twice = message();
    const outcome = await accept([twice, { ...twice }]);
    expect([outcome.admitted.length, outcome.duplicates]).toEqual([1, 1]);
  });

  test("but the same id in another account is another message", async () => {
    const same = message();
    await accept([same]);
    const other = { ...cloud, account: "2000" };
    const outcome = await trial.store.accept(
      other,
      [{ kind: "message", message: same }],
      everybody,
    );
    expect(outcome.admitted.length).toBe(1);
  });

  test("batches that race each other in one event-loop turn are still told apart", async () => {
    const raced = message();
    const outcomes = await Promise.all([accept([raced]), accept([raced]), accept([raced])]);
    expect(outcomes.map((outcome) => outcome.admitted.length)).toEqual([1, 0, 0]);
  });
});

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
    const ended = await trial.store.finishTurn({
      chat: old,
      turnId: "turn",
      messages: [entry?.id ?? 0],
      history: [],
      keepHistory: 40,
      deliveries: [{ id: "d", content: { kind: "text", text: "hi", quote: null } }],
    });
    expect(ended).toBe(joined);
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

describe("what is known of a message changes", () => {
  test("an edit goes through the mention gate as its message did", async () => {
    const admit: AcceptRules["admit"] = (each) =>
      each.text.startsWith("@bot ")
        ? { admitted: true, message: { ...each, text: each.text.slice(5) } }
        : { admitted: false, reason: "mention_missing" };
    const rules = { ...everybody, admit };
    const [first, second] = [message({ text: "@bot one" }), message({ text: "@bot two" })];
    const { admitted } = await accept([first, second], rules);
    const edit = (targetId: string, text: string) =>
      ({ kind: "edit", targetId, text, sender: first.sender }) as const;
    await trial.store.accept(
      cloud,
      [edit(first.id, "@bot better"), edit(second.id, "plain")],
      rules,
    );
    const waiting = trial.store.pendingMessages(admitted[0]?.chat ?? 0, 9);
    expect(waiting.map((entry) => entry.message.text)).toEqual(["better", "plain"]);
  });

  test("an edit before the turn is what the turn sees; a revoke takes it away", async () => {
    const edited = message();
    const revoked = message();
    const chat = await chatOf(edited);
    await accept([revoked]);
    const { sender } = edited;
    const outcome = await trial.store.accept(
      cloud,
      [
        { kind: "edit", targetId: edited.id, text: "better", sender },
        { kind: "revoke", targetId: revoked.id, sender },
        { kind: "revoke", targetId: "unknown", sender },
      ],
      everybody,
    );
    expect(outcome.amended).toBe(2);
    expect(trial.store.pendingMessages(chat, 9).map((entry) => entry.message.text)).toEqual([
      "better",
    ]);
    expect(trial.store.counts().pendingMessages).toBe(1);
    expect((await accept([revoked])).duplicates).toBe(1);
  });
});

test("a batch that fails half-way leaves no trace, in the file or in what is counted", async () => {
  const whole = message();
  const breaks: AcceptRules = {
    ...everybody,
    admit(each) {
      if (each.id !== whole.id) throw new Error("a mistake");
      return { admitted: true, message: each };
    },
  };
  const beside = message({ sender: { ...nobody, phone: "+15550002222" } });
  const [failed, fine] = await Promise.allSettled([
    accept([whole, message()], breaks),
    accept([beside]),
  ]);
  expect([failed?.status, fine?.status]).toEqual(["rejected", "fulfilled"]);
  expect(trial.store.counts().pendingMessages).toBe(1);
  expect(await chatOf(whole)).toBeGreaterThan(0);
  expect(trial.store.chatsWithPendingMessages()).toHaveLength(2);
  expect(trial.store.counts().pendingMessages).toBe(2);
});

describe("bounds", () => {
  const overflowing: [string, Partial<AcceptRules>, number][] = [
    ["messages", { maxPendingMessages: 2 }, 2],
    ["messages of one chat", { maxPendingPerChat: 2 }, 2],
    ["bytes", { maxPendingBytes: 700 }, 2],
  ];
  test.each(overflowing)("%s over the bound are left to the platform", async (_, rules, kept) => {
    const outcome = await accept([message(), message(), message()], { ...everybody, ...rules });
    expect([outcome.admitted.length, outcome.overflow]).toEqual([kept, 3 - kept]);
    expect(trial.store.counts().pendingMessages).toBe(kept);
  });

  test("nothing of a batch overtakes what did not fit", async () => {
    const batch = [message({ text: "x".repeat(900) }), message({ text: "short" })];
    const rules = { ...everybody, maxPendingBytes: 700 };
    expect(await accept(batch, rules)).toMatchObject({ admitted: [], overflow: 2 });
    const { admitted } = await accept(batch, everybody);
    expect(admitted.map((one) => one.message.id)).toEqual(batch.map(({ id }) => id));
  });

  test("what did not fit is taken when it comes again and there is room", async () => {
    const rules = { ...everybody, maxPendingMessages: 1 };
    const late = message();
    const chat = await chatOf(message());
    expect((await accept([late], rules)).overflow).toBe(1);
    await finish(chat, [trial.store.pendingMessages(chat, 1)[0]?.id ?? 0]);
    expect((await accept([late], rules)).admitted.length).toBe(1);
  });
});

describe("an account that speaks as another number", () => {
  const speaks = (number: string) =>
    trial.store.accept(cloud, [{ kind: "account", number }], everybody);
  const content = { kind: "text" as const, text: "an answer", quote: null };
  let chat: number;
  beforeEach(async () => {
    await speaks("+15550000001");
    chat = await chatOf(message());
    await trial.store.enqueue(chat, [{ id: "d1", content }]);
  });

  test("answers nothing that waited for the one before", async () => {
    const { abandoned } = await speaks("+15550000002");
    expect(abandoned).toEqual({ messages: 1, deliveries: 1 });
    expect(trial.store.counts()).toMatchObject({ pendingMessages: 0, openDeliveries: 0 });
    expect(trial.store.pendingMessages(chat, 9)).toEqual([]);
    expect(trial.store.delivery("d1")).toMatchObject({ state: "failed", code: "account_changed" });
    await accept([message()], everybody);
    expect(trial.store.pendingMessages(chat, 9)).toHaveLength(1);
    expect(await trial.store.redeliver("d1")).toBe(true);
    expect(trial.store.openDelivery(chat)?.id).toBe("d1");
  });

  test("gives up a turn that still runs", async () => {
    const [first] = trial.store.pendingMessages(chat, 1);
    await speaks("+15550000002");
    const turn = { turnId: "t", messages: [first?.id ?? 0], history: [], keepHistory: 9 };
    const deliveries = [{ id: "d2", content }];
    expect(await trial.store.finishTurn({ ...turn, chat, deliveries })).toBeNull();
    expect(trial.store.delivery("d2")).toBeNull();
  });

  test("keeps everything where it is the same, and what another account has", async () => {
    const other = { ...cloud, account: "2000" };
    for (const number of ["+15550000002", "+15550000003"]) {
      const { abandoned } = await trial.store.accept(
        other,
        [{ kind: "account", number }],
        everybody,
      );
      expect(abandoned).toEqual({ messages: 0, deliveries: 0 });
    }
    expect((await speaks("+15550000001")).abandoned).toEqual({ messages: 0, deliveries: 0 });
    expect(trial.store.counts()).toMatchObject({ pendingMessages: 1, openDeliveries: 1 });
  });
});
