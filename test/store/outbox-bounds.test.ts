import { beforeEach, describe, expect, test } from "bun:test";
import type { ChatId } from "../../src/store/contract.ts";
import { deliveriesTrial, delivery, failure } from "../support/deliveries-trial.ts";
import { cloud, everybody, message, nobody, recipientAt } from "../support/store.ts";

const trial = deliveriesTrial();
const { status } = trial;
let chat: ChatId;
beforeEach(() => {
  chat = trial.chat;
});

describe("what waits to be sent", () => {
  /** Is a message taken while at most so many deliveries may wait? */
  const takes = async (most: number, bytes = 1_000_000) => {
    const rules = { ...everybody, maxPendingMessages: most, maxPendingBytes: bytes };
    const { overflow } = await trial.store.accept(
      cloud,
      [{ kind: "message", message: message() }],
      rules,
    );
    for (const { id } of trial.store.pendingMessages(chat, 50)) {
      const turn = {
        chat,
        turnId: "t",
        messages: [id],
        history: [],
        keepHistory: 0,
        deliveries: [],
      };
      await trial.store.finishTurn(turn);
    }
    return overflow === 0;
  };
  /** How many wait, as the bound sees it and as the file says. */
  const counted = async () => {
    const open = trial.store.counts().openDeliveries;
    return [await takes(open + 1), await takes(Math.max(1, open))];
  };
  const bounded = [true, false];

  test("is bounded in number and bytes: beyond it the platform is asked to come again", async () => {
    expect(await takes(2)).toBe(false);
    expect(await takes(3)).toBe(true);
    expect(await takes(3, 400)).toBe(true);
    const long = { kind: "text" as const, text: "x".repeat(400), quote: null };
    await trial.store.enqueue(chat, [{ id: "d3", content: long }]);
    expect(await takes(100, 400)).toBe(false);
    trial.reopen();
    expect(await takes(100, 400)).toBe(false);
    await trial.store.markFailed("d3", { retry: "no", afterMs: null, code: "x", hint: "" });
    expect(await takes(100, 400)).toBe(true);
  });

  test("of one chat holds up that chat alone", async () => {
    const rules = { ...everybody, maxPendingPerChat: 3 };
    const other = message({ sender: { ...nobody, phone: "+15550002222" } });
    const events = [message(), message(), other].map((each) => ({
      kind: "message" as const,
      message: each,
    }));
    for (const { id } of trial.store.pendingMessages(chat, 50)) {
      await trial.store.finishTurn({
        chat,
        turnId: "t",
        messages: [id],
        history: [],
        keepHistory: 0,
        deliveries: [delivery("d3")],
      });
    }
    const outcome = await trial.store.accept(cloud, events, rules);
    expect([outcome.admitted.map(({ message: { id } }) => id), outcome.overflow]).toEqual([
      [other.id],
      2,
    ]);
  });

  test("of a chat that had nothing to be sent is what came since", async () => {
    expect(await takes(100)).toBe(true);
    const other = message({ sender: { ...nobody, phone: "+15550002222" } });
    const theirs = await trial.store.openChat(cloud, recipientAt("+15550002222"));
    await trial.store.enqueue(theirs, [delivery("x")]);
    const outcome = await trial.store.accept(cloud, [{ kind: "message", message: other }], {
      ...everybody,
      maxPendingPerChat: 2,
    });
    expect(outcome.overflow).toBe(0);
  });

  test("of two chats that were joined is that of the one", async () => {
    const lid = "123456789@lid";
    const { admitted } = await trial.store.accept(
      cloud,
      [{ kind: "message", message: message({ sender: { ...nobody, lid } }) }],
      everybody,
    );
    const theirs = admitted[0]?.chat ?? 0;
    await trial.store.enqueue(theirs, [delivery("d3"), delivery("d4")]);
    const both = { ...message().sender, lid };
    await trial.store.accept(
      cloud,
      [{ kind: "identity", sender: both, previousUserId: null, previousPhone: null }],
      everybody,
    );
    expect(trial.store.chat(theirs)?.id).toBe(chat);
    for (const id of ["d1", "d2"]) await trial.store.markFailed(id, failure);
    expect(trial.store.deliveryAfter(chat, "d3")?.id).toBe("d4");
    // With the two messages that wait.
    const rules = { ...everybody, maxPendingPerChat: 4 };
    const events = [{ kind: "message" as const, message: message() }];
    expect((await trial.store.accept(cloud, events, rules)).overflow).toBe(1);
  });

  const moves: [string, () => Promise<unknown>][] = [
    ["sent", () => trial.store.markSending("d1").then(() => trial.store.markSent("d1", "wamid.1"))],
    [
      "sent twice",
      () =>
        trial.store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => trial.store.markSent("d1", "wamid.1")),
    ],
    ["waiting for another try", () => trial.store.markRetry("d1", 5, failure)],
    ["in doubt", () => trial.store.markAmbiguous("d1", 5, failure)],
    ["failed", () => trial.store.markFailed("d1", failure)],
    [
      "failed twice",
      () => trial.store.markFailed("d1", failure).then(() => trial.store.markFailed("d1", failure)),
    ],
    [
      "failed and tried anew",
      () => trial.store.markFailed("d1", failure).then(() => trial.store.redeliver("d1")),
    ],
    [
      "sent, failed afterwards",
      () =>
        trial.store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => status("failed")),
    ],
    [
      "sent, failed, to be tried again",
      () =>
        trial.store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => status("failed", "wamid.out", "d1", () => 5)),
    ],
    [
      "failed by a status before its answer",
      () => trial.store.markSending("d1").then(() => status("failed")),
    ],
    [
      "kept back by a fault",
      () => trial.store.enqueue(chat, [delivery("d4"), delivery("d1")]).catch(() => {}),
    ],
  ];
  test.each(moves)("is counted where a delivery is %s", async (_, move) => {
    expect(await counted()).toEqual(bounded);
    await move();
    expect(await counted()).toEqual(bounded);
    await trial.store.enqueue(chat, [delivery("d9")]);
    expect(await counted()).toEqual(bounded);
  });
});
