import { describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { Message } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { acceptTrial } from "../support/accept-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const { trial, accept, chatOf, finish } = acceptTrial();

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

  test("by the first edit and the first revoke ever, though they come in one batch with messages", async () => {
    const [edited, revoked] = [message(), message()];
    const { sender } = edited;
    const outcome = await trial.store.accept(
      cloud,
      [
        { kind: "message", message: edited },
        { kind: "edit", targetId: edited.id, text: "better", sender },
        { kind: "message", message: revoked },
        { kind: "revoke", targetId: revoked.id, sender },
      ],
      everybody,
    );
    expect(outcome.amended).toBe(2);
    const waiting = trial.store.pendingMessages(outcome.admitted[0]?.chat ?? 0, 9);
    expect(waiting.map((entry) => entry.message.text)).toEqual(["better"]);
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
    const file = new DatabaseSync(trial.file, { readOnly: true });
    const left = file.prepare("SELECT message IS NULL AS gone FROM inbox ORDER BY id").all();
    file.close();
    expect(left).toEqual([{ gone: 0 }, { gone: 1 }]);
  });

  test("of several edits the latest counts, in whatever order they come, also after a restart", async () => {
    const [waits, answered] = [message(), message()];
    const chat = await chatOf(waits);
    await accept([answered]);
    const edit = async (to: Message, text: string, at: number) => {
      const { sender, id: targetId } = to;
      const amendment = { kind: "edit", targetId, text, sender, at } as const;
      return (await trial.store.accept(cloud, [amendment], everybody)).amended;
    };
    const texts = () => trial.store.pendingMessages(chat, 9).map(({ message: { text } }) => text);
    expect(await edit(waits, "third", 30)).toBe(1);
    trial.reopen();
    expect(await edit(waits, "second", 20)).toBe(0);
    expect(await edit(waits, "of the same second", 30)).toBe(1);
    expect(texts()).toEqual(["of the same second", answered.text]);
    await finish(
      chat,
      trial.store.pendingMessages(chat, 9).map(({ id }) => id),
    );
    expect([await edit(answered, "late", 40), await edit(answered, "early", 35)]).toEqual([1, 0]);
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

  const between: [string, (known: Message) => Message][] = [
    ["next to it", () => message()],
    ["behind one that is known already", (known) => known],
    ["behind one that is refused", () => message({ type: "refused" })],
  ];
  test.each(between)("nothing of a batch overtakes what did not fit: %s", async (_, next) => {
    const known = message();
    await accept([known]);
    const [long, short] = [message({ text: "x".repeat(900) }), message({ text: "short" })];
    const batch = [long, next(known), short];
    const admit: AcceptRules["admit"] = (each) =>
      each.type === "refused"
        ? { admitted: false, reason: "not_allowed" }
        : { admitted: true, message: each };
    const rules = { ...everybody, admit };
    expect((await accept(batch, { ...rules, maxPendingBytes: 900 })).admitted).toEqual([]);
    const { admitted } = await accept(batch, rules);
    const ids = admitted.map((one) => one.message.id);
    expect([ids[0], ids.at(-1)]).toEqual([long.id, short.id]);
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
