import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { DeliveryState, SendFailure } from "../../src/channels/message.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

const clock = fakeClock();
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let chat: ChatId;

beforeEach(async () => {
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  const outcome = await store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  chat = outcome.admitted[0]?.chat ?? 0;
  await store.enqueue(chat, [delivery("d1"), delivery("d2")]);
});
afterEach(() => {
  store.close();
  folder.remove();
});

const delivery = (id: string) => ({
  id,
  content: { kind: "text" as const, text: id, quote: null },
});
const failure: SendFailure = { retry: "no", afterMs: null, code: "131026", hint: "undeliverable" };
const status = (
  state: DeliveryState,
  platformId = "wamid.out",
  deliveryId: string | null = "d1",
  pauseAfter: () => number | null = () => null,
) =>
  store.accept(
    cloud,
    [
      {
        kind: "status",
        status: {
          platformId,
          deliveryId,
          state,
          timestamp: 1,
          failure: state === "failed" ? failure : null,
        },
      },
    ],
    { ...everybody, pauseAfter },
  );

test("deliveries of a chat come in order, the next only when the first is final", async () => {
  expect(store.openDelivery(chat)?.id).toBe("d1");
  await store.markSending("d1");
  expect(store.openDelivery(chat)).toMatchObject({ id: "d1", state: "sending", attempts: 1 });
  await store.markSent("d1", "wamid.1");
  expect(store.openDelivery(chat)?.id).toBe("d2");
});

describe("a status", () => {
  test("that names our delivery settles one whose answer was lost", async () => {
    await store.markSending("d1");
    const outcome = await status("sent");
    expect(outcome.moved).toEqual([{ chat, delivery: "d1", failure: null }]);
    expect(store.delivery("d1")).toMatchObject({ state: "sent", platformId: "wamid.out" });
    await store.markSent("d1", null);
    expect(store.delivery("d1")?.platformId).toBe("wamid.out");
  });

  test("that settled it stands, whatever the answer of a second try says then", async () => {
    await store.markSending("d1");
    await store.markAmbiguous("d1", 0, { ...failure, retry: "ambiguous", code: "timeout" });
    await store.markSending("d1");
    await status("delivered");
    await store.markFailed("d1", failure);
    expect(store.delivery("d1")).toMatchObject({ state: "sent", status: "delivered", code: null });
    expect(store.counts().failedDeliveries).toBe(0);
  });

  test("never goes back", async () => {
    await store.markSending("d1");
    await store.markSent("d1", "wamid.out");
    for (const state of ["read", "delivered", "sent"] as const) await status(state);
    expect(store.delivery("d1")?.status).toBe("read");
  });

  test("of failure after the fact fails the delivery once", async () => {
    await store.markSending("d1");
    await store.markSent("d1", "wamid.out");
    expect((await status("failed")).moved).toEqual([{ chat, delivery: "d1", failure }]);
    expect((await status("failed")).moved).toEqual([]);
    expect(store.delivery("d1")).toMatchObject({ state: "failed", code: "131026" });
  });

  describe("of failure that may pass", () => {
    const fail = () => status("failed", "wamid.out", "d1", () => 5_000);

    test("puts the delivery back in the same transaction, its tries still counted", async () => {
      await store.markSending("d1");
      await store.markSent("d1", "wamid.out");
      expect((await fail()).moved).toEqual([{ chat, delivery: "d1", failure }]);
      expect(store.openDelivery(chat)).toMatchObject({
        id: "d1",
        state: "pending",
        attempts: 1,
        nextAt: clock.now() + 5_000,
        platformId: null,
        code: failure.code,
      });
    });

    test.each(["sent", "delivered", "failed"] as const)(
      "stands against a late %s of the try that failed, before and during the next",
      async (late) => {
        await store.markSending("d1");
        await store.markSent("d1", "wamid.out");
        await fail();
        expect((await status(late)).moved).toEqual([]);
        expect(store.delivery("d1")?.state).toBe("pending");
        await store.markSending("d1");
        expect((await status(late)).moved).toEqual([]);
        expect(store.delivery("d1")?.state).toBe("sending");
        expect((await status("sent", "wamid.next")).moved).toHaveLength(1);
      },
    );

    test("stands against the answer to the try that failed", async () => {
      await store.markSending("d1");
      await fail();
      await store.markSent("d1", "wamid.out");
      expect(store.delivery("d1")?.state).toBe("pending");
    });
  });

  describe("that names no delivery and comes before the answer that names its message", () => {
    test("of failure fails it with that answer", async () => {
      await store.markSending("d1");
      expect((await status("failed", "wati.1", null)).moved).toEqual([]);
      expect(await store.markSent("d1", "wati.1")).toEqual({ failure });
      expect(store.delivery("d1")).toMatchObject({ state: "failed", code: "131026" });
      expect(store.openDelivery(chat)?.id).toBe("d2");
    });

    test("stands with what is furthest on, and its own message alone", async () => {
      for (const state of ["delivered", "read", "sent"] as const) await status(state, "w", null);
      await store.markSending("d1");
      expect(await store.markSent("d1", "other")).toEqual({ failure: null });
      await store.markSending("d2");
      expect(await store.markSent("d2", "w")).toEqual({ failure: null });
      expect([store.delivery("d1")?.status, store.delivery("d2")?.status]).toEqual([null, "read"]);
    });

    test("is remembered among the latest thousand", async () => {
      await status("failed", "first", null);
      await status("failed", "second", null);
      for (let i = 0; i < 999; i++) await status("sent", `strange.${i}`, null);
      await store.markSending("d1");
      expect(await store.markSent("d1", "first")).toEqual({ failure: null });
      await store.markSending("d2");
      expect(await store.markSent("d2", "second")).toEqual({ failure });
    });
  });

  test("for a delivery nobody knows is passed over", async () => {
    expect((await status("sent", "wamid.other", "nobody")).moved).toEqual([]);
    expect((await status("sent", "wamid.other", null)).moved).toEqual([]);
  });
});

test("an answer that comes after a failed status does not bring the delivery back", async () => {
  await store.markSending("d1");
  await status("failed");
  await store.markSent("d1", "wamid.out");
  expect(store.delivery("d1")?.state).toBe("failed");
});

test("a failed delivery can be sent anew by hand, a sent one cannot", async () => {
  await store.markSending("d1");
  await store.markFailed("d1", failure);
  expect(store.failedDeliveries(9).map((entry) => entry.id)).toEqual(["d1"]);
  expect(await store.redeliver("d1")).toBe(true);
  expect(store.openDelivery(chat)).toMatchObject({ id: "d1", state: "pending", attempts: 0 });
  await store.markSending("d1");
  await store.markSent("d1", null);
  expect(await store.redeliver("d1")).toBe(false);
});

test("what was sending at a kill is still sending after it", async () => {
  await store.markSending("d1");
  store.close();
  store = storeAt(join(folder.path, "revka.db"), clock);
  expect(store.openDelivery(chat)).toMatchObject({ id: "d1", state: "sending" });
});

test("what the platform says of a try that it named otherwise says nothing of the one that counts", async () => {
  await store.markSending("d1");
  await store.markSent("d1", "wamid.second");
  await status("failed", "wamid.first");
  expect(store.delivery("d1")).toMatchObject({ state: "sent", status: null, code: null });
  await status("read", "wamid.first");
  expect(store.delivery("d1")?.status).toBeNull();
  await status("delivered", "wamid.second");
  expect(store.delivery("d1")?.status).toBe("delivered");
});

describe("what waits to be sent", () => {
  /** Is a message taken while at most so many deliveries may wait? */
  const takes = async (most: number, bytes = 1_000_000) => {
    const rules = { ...everybody, maxPendingMessages: most, maxPendingBytes: bytes };
    const { overflow } = await store.accept(
      cloud,
      [{ kind: "message", message: message() }],
      rules,
    );
    for (const { id } of store.pendingMessages(chat, 50)) {
      const turn = {
        chat,
        turnId: "t",
        messages: [id],
        history: [],
        keepHistory: 0,
        deliveries: [],
      };
      await store.finishTurn(turn);
    }
    return overflow === 0;
  };
  /** How many wait, as the bound sees it and as the file says. */
  const counted = async () => {
    const open = store.counts().openDeliveries;
    return [await takes(open + 1), await takes(Math.max(1, open))];
  };
  const bounded = [true, false];

  test("is bounded in number and bytes: beyond it the platform is asked to come again", async () => {
    expect(await takes(2)).toBe(false);
    expect(await takes(3)).toBe(true);
    expect(await takes(3, 400)).toBe(true);
    const long = { kind: "text" as const, text: "x".repeat(400), quote: null };
    await store.enqueue(chat, [{ id: "d3", content: long }]);
    expect(await takes(100, 400)).toBe(false);
    await store.markSending("d3");
    await store.markSent("d3", "wamid.3");
    expect(await takes(100, 400)).toBe(true);
  });

  test("of one chat holds up that chat alone", async () => {
    const rules = { ...everybody, maxPendingPerChat: 3 };
    const other = message({ sender: { ...nobody, phone: "+15550002222" } });
    const events = [message(), message(), other].map((each) => ({
      kind: "message" as const,
      message: each,
    }));
    for (const { id } of store.pendingMessages(chat, 50)) {
      await store.finishTurn({
        chat,
        turnId: "t",
        messages: [id],
        history: [],
        keepHistory: 0,
        deliveries: [delivery("d3")],
      });
    }
    const outcome = await store.accept(cloud, events, rules);
    expect([outcome.admitted.map(({ message: { id } }) => id), outcome.overflow]).toEqual([
      [other.id],
      2,
    ]);
  });

  const moves: [string, () => Promise<unknown>][] = [
    ["sent", () => store.markSending("d1").then(() => store.markSent("d1", "wamid.1"))],
    [
      "sent twice",
      () =>
        store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => store.markSent("d1", "wamid.1")),
    ],
    ["waiting for another try", () => store.markRetry("d1", 5, failure)],
    ["in doubt", () => store.markAmbiguous("d1", 5, failure)],
    ["failed", () => store.markFailed("d1", failure)],
    [
      "failed twice",
      () => store.markFailed("d1", failure).then(() => store.markFailed("d1", failure)),
    ],
    [
      "failed and tried anew",
      () => store.markFailed("d1", failure).then(() => store.redeliver("d1")),
    ],
    [
      "sent, failed afterwards",
      () =>
        store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => status("failed")),
    ],
    [
      "sent, failed, to be tried again",
      () =>
        store
          .markSending("d1")
          .then(() => status("sent"))
          .then(() => status("failed", "wamid.out", "d1", () => 5)),
    ],
    [
      "failed by a status before its answer",
      () => store.markSending("d1").then(() => status("failed")),
    ],
    [
      "kept back by a fault",
      () => store.enqueue(chat, [delivery("d4"), delivery("d1")]).catch(() => {}),
    ],
  ];
  test.each(moves)("is counted where a delivery is %s", async (_, move) => {
    expect(await counted()).toEqual(bounded);
    await move();
    expect(await counted()).toEqual(bounded);
    await store.enqueue(chat, [delivery("d9")]);
    expect(await counted()).toEqual(bounded);
  });
});
