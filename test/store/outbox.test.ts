import { beforeEach, describe, expect, test } from "bun:test";
import type { ChatId } from "../../src/store/contract.ts";
import { deliveriesTrial, delivery, failure } from "../support/deliveries-trial.ts";
import { cloud, recipientAt } from "../support/store.ts";

const trial = deliveriesTrial();
const { status } = trial;
let chat: ChatId;
beforeEach(() => {
  chat = trial.chat;
});

test("deliveries of a chat come in order, the next only when the first is final", async () => {
  expect(trial.store.openDelivery(chat)?.id).toBe("d1");
  await trial.store.markSending("d1");
  expect(trial.store.openDelivery(chat)).toMatchObject({ id: "d1", state: "sending", attempts: 1 });
  await trial.store.markSent("d1", "wamid.1");
  expect(trial.store.openDelivery(chat)?.id).toBe("d2");
});

test("chats come by the oldest of what each has to send, failed deliveries the latest first", async () => {
  const other = await trial.store.openChat(cloud, recipientAt("+15550002222"));
  for (const id of ["d1", "d2"]) await trial.store.markFailed(id, failure);
  await trial.store.enqueue(other, [delivery("x")]);
  await trial.store.enqueue(chat, [delivery("d3")]);
  await trial.store.enqueue(other, [delivery("y")]);
  expect(trial.store.chatsWithOpenDeliveries()).toEqual([other, chat]);
  expect(trial.store.failedDeliveries(9).map(({ id }) => id)).toEqual(["d2", "d1"]);
  expect(trial.store.failedDeliveries(1).map(({ id }) => id)).toEqual(["d2"]);
});

describe("a status", () => {
  test("that names our delivery settles one whose answer was lost", async () => {
    await trial.store.markSending("d1");
    const outcome = await status("sent");
    expect(outcome.moved).toEqual([{ chat, delivery: "d1", failure: null }]);
    expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", platformId: "wamid.out" });
    await trial.store.markSent("d1", null);
    expect(trial.store.delivery("d1")?.platformId).toBe("wamid.out");
  });

  test.each([
    ["has failed", () => trial.store.markFailed("d1", failure)],
    [
      "is to be tried again",
      () => trial.store.markRetry("d1", 0, { ...failure, retry: "backoff" }),
    ],
    ["is in doubt", () => trial.store.markAmbiguous("d1", 0, { ...failure, retry: "ambiguous" })],
  ])(
    "that settled it stands, though the answer of a second try says that it %s",
    async (_, mark) => {
      await trial.store.markSending("d1");
      await trial.store.markAmbiguous("d1", 0, { ...failure, retry: "ambiguous", code: "timeout" });
      await trial.store.markSending("d1");
      await status("delivered");
      await mark();
      expect(trial.store.delivery("d1")).toMatchObject({
        state: "sent",
        status: "delivered",
        code: null,
      });
      expect(trial.store.openDelivery(chat)?.id).toBe("d2");
      expect(trial.store.counts().failedDeliveries).toBe(0);
    },
  );

  test("tells what a message is called whose answer did not: by that name it is known from then on", async () => {
    await trial.store.markSending("d1");
    await trial.store.markSent("d1", null);
    await status("delivered");
    await status("read", "wamid.out", null);
    expect(trial.store.delivery("d1")?.status).toBe("read");
  });

  test("never goes back", async () => {
    await trial.store.markSending("d1");
    await trial.store.markSent("d1", "wamid.out");
    for (const state of ["read", "delivered", "sent"] as const) await status(state);
    expect(trial.store.delivery("d1")?.status).toBe("read");
  });

  test("of failure after the fact fails the delivery once", async () => {
    await trial.store.markSending("d1");
    await trial.store.markSent("d1", "wamid.out");
    expect((await status("failed")).moved).toEqual([{ chat, delivery: "d1", failure }]);
    expect((await status("failed")).moved).toEqual([]);
    expect(trial.store.delivery("d1")).toMatchObject({ state: "failed", code: "131026" });
  });

  test.each(["delivered", "read", "played"] as const)(
    "of failure changes nothing about what was %s, in whatever order they come",
    async (arrived) => {
      for (const id of ["d1", "d2"]) {
        await trial.store.markSending(id);
        await trial.store.markSent(id, `wamid.${id}`);
      }
      await status(arrived, "wamid.d1");
      expect((await status("failed", "wamid.d1", "d1", () => 5_000)).moved).toEqual([]);
      await status("failed", "wamid.d2", "d2");
      expect((await status(arrived, "wamid.d2", "d2")).moved).toEqual([]);
      for (const id of ["d1", "d2"])
        expect(trial.store.delivery(id)).toMatchObject({
          state: "sent",
          status: arrived,
          code: null,
          hint: null,
        });
      expect(trial.store.counts().failedDeliveries).toBe(0);
    },
  );

  describe("of failure that may pass", () => {
    const fail = () => status("failed", "wamid.out", "d1", () => 5_000);

    test("puts the delivery back in the same transaction, its tries still counted", async () => {
      await trial.store.markSending("d1");
      await trial.store.markSent("d1", "wamid.out");
      expect((await fail()).moved).toEqual([{ chat, delivery: "d1", failure }]);
      expect(trial.store.openDelivery(chat)).toMatchObject({
        id: "d1",
        state: "pending",
        attempts: 1,
        nextAt: trial.clock.now() + 5_000,
        platformId: null,
        code: failure.code,
        hint: failure.hint,
      });
    });

    test("leaves the next try without a word yet: the first of it counts anew", async () => {
      await trial.store.markSending("d1");
      await status("sent");
      await fail();
      await trial.store.markSending("d1");
      expect((await status("sent", "wamid.next")).moved).toHaveLength(1);
      expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", platformId: "wamid.next" });
    });

    test.each(["delivered", "read", "played"] as const)(
      "is taken back by a late %s of the try that failed, and not sent anew",
      async (late) => {
        await trial.store.markSending("d1");
        await trial.store.markSent("d1", "wamid.out");
        await fail();
        expect((await status(late)).moved).toEqual([{ chat, delivery: "d1", failure: null }]);
        expect(trial.store.openDelivery(chat)?.id).not.toBe("d1");
        expect(trial.store.delivery("d1")).toMatchObject({
          state: "sent",
          platformId: "wamid.out",
        });
      },
    );

    describe("twice", () => {
      const tries = async () => {
        for (const id of ["wamid.first", "wamid.second"]) {
          await trial.store.markSending("d1");
          await trial.store.markSent("d1", id);
          await status("failed", id, "d1", () => 5_000);
        }
      };

      test.each(["wamid.first", "wamid.second"])(
        "stands against a late sent and failed of %s, before and during the third try",
        async (id) => {
          await tries();
          for (const state of ["pending", "sending"] as const) {
            for (const late of ["sent", "failed"] as const) {
              expect((await status(late, id)).moved).toEqual([]);
              expect(trial.store.openDelivery(chat)).toMatchObject({ id: "d1", state });
            }
            await trial.store.markSending("d1");
          }
          await trial.store.markSent("d1", "wamid.third");
          expect(trial.store.delivery("d1")).toMatchObject({
            state: "sent",
            platformId: "wamid.third",
          });
        },
      );

      test.each(["wamid.first", "wamid.second"])(
        "is taken back by a late delivered of %s",
        async (id) => {
          await tries();
          expect((await status("delivered", id)).moved).toHaveLength(1);
          expect(trial.store.delivery("d1")?.state).toBe("sent");
        },
      );

      test("has both tries known, and no stranger's", async () => {
        await tries();
        const known = ["wamid.first", "wamid.second", "wamid.third"].map((id) =>
          trial.store.knowsSend(id, "d1"),
        );
        expect(known).toEqual([true, true, false]);
      });
    });

    test("stands against a late delivered while the next try is under way", async () => {
      await trial.store.markSending("d1");
      await trial.store.markSent("d1", "wamid.out");
      await fail();
      await trial.store.markSending("d1");
      expect((await status("delivered")).moved).toEqual([]);
      expect(trial.store.delivery("d1")?.state).toBe("sending");
    });

    test.each(["sent", "failed"] as const)(
      "stands against a late %s of the try that failed, before and during the next",
      async (late) => {
        await trial.store.markSending("d1");
        await trial.store.markSent("d1", "wamid.out");
        await fail();
        expect((await status(late)).moved).toEqual([]);
        expect(trial.store.delivery("d1")?.state).toBe("pending");
        await trial.store.markSending("d1");
        expect((await status(late)).moved).toEqual([]);
        expect(trial.store.delivery("d1")?.state).toBe("sending");
        expect((await status("sent", "wamid.next")).moved).toHaveLength(1);
      },
    );

    test("stands against the answer to the try that failed", async () => {
      await trial.store.markSending("d1");
      await fail();
      await trial.store.markSent("d1", "wamid.out");
      expect(trial.store.delivery("d1")?.state).toBe("pending");
    });
  });

  describe("that names no delivery and comes before the answer that names its message", () => {
    test("of failure fails it with that answer", async () => {
      await trial.store.markSending("d1");
      expect((await status("failed", "wati.1", null)).moved).toEqual([]);
      expect(await trial.store.markSent("d1", "wati.1")).toEqual({ failure });
      expect(trial.store.delivery("d1")).toMatchObject({ state: "failed", code: "131026" });
      expect(trial.store.openDelivery(chat)?.id).toBe("d2");
    });

    test("stands with what is furthest on, and its own message alone", async () => {
      for (const state of ["delivered", "read", "sent"] as const) await status(state, "w", null);
      await trial.store.markSending("d1");
      expect(await trial.store.markSent("d1", "other")).toEqual({ failure: null });
      await trial.store.markSending("d2");
      expect(await trial.store.markSent("d2", "w")).toEqual({ failure: null });
      expect([trial.store.delivery("d1")?.status, trial.store.delivery("d2")?.status]).toEqual([
        null,
        "read",
      ]);
    });

    test("is remembered among the latest thousand", async () => {
      await status("failed", "first", null);
      await status("failed", "second", null);
      for (let i = 0; i < 999; i++) await status("sent", `strange.${i}`, null);
      await trial.store.markSending("d1");
      expect(await trial.store.markSent("d1", "first")).toEqual({ failure: null });
      await trial.store.markSending("d2");
      expect(await trial.store.markSent("d2", "second")).toEqual({ failure });
    });
  });

  test("for a delivery nobody knows is passed over", async () => {
    expect((await status("sent", "wamid.other", "nobody")).moved).toEqual([]);
    expect((await status("sent", "wamid.other", null)).moved).toEqual([]);
  });
});

test("an answer that comes after a failed status does not bring the delivery back", async () => {
  await trial.store.markSending("d1");
  await status("failed");
  await trial.store.markSent("d1", "wamid.out");
  expect(trial.store.delivery("d1")?.state).toBe("failed");
});

test("a failed delivery can be sent anew by hand, a sent one cannot", async () => {
  await trial.store.markSending("d1");
  await trial.store.markFailed("d1", failure);
  expect(trial.store.failedDeliveries(9).map((entry) => entry.id)).toEqual(["d1"]);
  expect(await trial.store.redeliver("d1")).toBe(true);
  expect(trial.store.openDelivery(chat)).toMatchObject({ id: "d1", state: "pending", attempts: 0 });
  await trial.store.markSending("d1");
  await trial.store.markSent("d1", null);
  expect(await trial.store.redeliver("d1")).toBe(false);
});

test("what is sent anew by hand after a failed status is settled by the next try's own", async () => {
  await trial.store.markSending("d1");
  await status("failed");
  await trial.store.redeliver("d1");
  await trial.store.markSending("d1");
  expect((await status("sent", "wamid.next")).moved).toHaveLength(1);
  expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", platformId: "wamid.next" });
});

test("what was sending at a kill is still sending after it", async () => {
  await trial.store.markSending("d1");
  trial.reopen();
  expect(trial.store.openDelivery(chat)).toMatchObject({ id: "d1", state: "sending" });
});

test("what the platform says of a try that it named otherwise says nothing of the one that counts", async () => {
  await trial.store.markSending("d1");
  await trial.store.markSent("d1", "wamid.second");
  await status("failed", "wamid.first");
  expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", status: null, code: null });
  await status("read", "wamid.first");
  expect(trial.store.delivery("d1")?.status).toBeNull();
  await status("delivered", "wamid.second");
  expect(trial.store.delivery("d1")?.status).toBe("delivered");
});
