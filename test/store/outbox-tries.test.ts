import { beforeEach, expect, test } from "bun:test";
import type { DeliveryState, SendFailure } from "../../src/channels/message.ts";
import type { ChatId } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, recipientAt } from "../support/store.ts";

const trial = storeTrial();
let chat: ChatId;

beforeEach(async () => {
  chat = await trial.store.openChat(cloud, recipientAt("+15550001111"));
  await trial.store.enqueue(chat, [
    { id: "d1", content: { kind: "text", text: "hi", quote: null } },
  ]);
});

const failure = (retry: SendFailure["retry"]): SendFailure => ({
  retry,
  afterMs: null,
  code: "131016",
  hint: "later",
});

const status = (state: DeliveryState, deliveryId: string | null) => ({
  kind: "status" as const,
  status: { platformId: "wamid.1", deliveryId, state, timestamp: 1, failure: null },
});

test.each([
  ["backoff", [1, 2, 3]],
  ["hold", [1, 1, 1]],
] as const)("a try that ended in %s counts: %p", async (retry, counted) => {
  const attempts: number[] = [];
  for (let i = 0; i < 3; i++) {
    await trial.store.markSending("d1");
    attempts.push(trial.store.openDelivery(chat)?.attempts ?? 0);
    await trial.store.markRetry("d1", trial.clock.now() + 1_000, failure(retry));
  }
  expect(attempts).toEqual([...counted]);
  expect(trial.store.openDelivery(chat)).toMatchObject({
    state: "pending",
    nextAt: trial.clock.now() + 1_000,
    code: "131016",
    hint: "later",
  });
});

test("one in doubt stays in doubt, after a restart too", async () => {
  await trial.store.markSending("d1");
  await trial.store.markAmbiguous("d1", trial.clock.now() + 1_000, failure("ambiguous"));
  const doubtful = { state: "sending", attempts: 1, nextAt: trial.clock.now() + 1_000 };
  expect(trial.store.openDelivery(chat)).toMatchObject(doubtful);
  trial.reopen();
  expect(trial.store.openDelivery(chat)).toMatchObject(doubtful);
});

test("one that the platform says has not arrived goes at once, as if it had not been sent", async () => {
  await trial.store.markSending("d1");
  await trial.store.markAmbiguous("d1", trial.clock.now() + 1_000, failure("ambiguous"));
  await trial.store.markNotSent("d1");
  expect(trial.store.openDelivery(chat)).toMatchObject({
    state: "pending",
    attempts: 1,
    unanswered: 0,
    nextAt: 0,
  });
});

test("but not where a status has said meanwhile that it arrived", async () => {
  await trial.store.markSending("d1");
  await trial.store.accept(cloud, [status("delivered", "d1")], everybody);
  await trial.store.markNotSent("d1");
  expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", status: "delivered" });
  expect(trial.store.openDelivery(chat)).toBeNull();
});

test("what was sent in the end has nothing wrong with it any more", async () => {
  await trial.store.markSending("d1");
  await trial.store.markRetry("d1", 0, failure("backoff"));
  await trial.store.markSending("d1");
  await trial.store.markSent("d1", "wamid.1");
  expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", code: null, hint: null });
});

test("what has ended is marked once: whoever comes later is told so", async () => {
  await trial.store.enqueue(chat, [
    { id: "d2", content: { kind: "text", text: "2", quote: null } },
  ]);
  expect(await trial.store.markSent("d1", "wamid.1")).toBeNull();
  expect(await trial.store.markSending("d1")).toBe(true);
  expect(await trial.store.markSent("d1", "wamid.1")).toEqual({ failure: null });
  expect(await trial.store.markSent("d1", "wamid.1")).toBeNull();
  expect(await trial.store.markSending("d1")).toBe(false);
  expect(await trial.store.markFailed("d1", failure("no"))).toBe(false);
  expect(await trial.store.markFailed("d2", failure("no"))).toBe(true);
  expect(await trial.store.markFailed("d2", failure("no"))).toBe(false);
  expect(await trial.store.markFailed("d3", failure("no"))).toBe(false);
  expect(trial.store.delivery("d1")?.state).toBe("sent");
  expect(trial.store.delivery("d2")).toMatchObject({
    state: "failed",
    code: "131016",
    hint: "later",
  });
});

test.each(["d1", null])("the platform's words follow each other (told by %p)", async (told) => {
  await trial.store.markSending("d1");
  await trial.store.markSent("d1", "wamid.1");
  for (const state of ["sent", "delivered", "read", "played"] as const) {
    await trial.store.accept(cloud, [status(state, told)], everybody);
    expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", status: state });
  }
});

test("a failure told of one that waits is of a try before: it waits on", async () => {
  await trial.store.markSending("d1");
  await trial.store.markFailed("d1", failure("no"));
  await trial.store.redeliver("d1");
  const { moved } = await trial.store.accept(cloud, [status("failed", "d1")], everybody);
  expect(moved).toEqual([]);
  expect(trial.store.openDelivery(chat)).toMatchObject({ state: "pending", attempts: 0 });
  const arrived = await trial.store.accept(cloud, [status("delivered", "d1")], everybody);
  expect(arrived.moved).toHaveLength(1);
  expect(trial.store.delivery("d1")).toMatchObject({ state: "sent", status: "delivered" });
});

test("what an account was linked away from leaves room at once", async () => {
  const one = { ...everybody, maxPendingMessages: 1 };
  const say = () => trial.store.accept(cloud, [{ kind: "message", message: message() }], one);
  await trial.store.accept(cloud, [{ kind: "account", number: "+15550000001" }], one);
  expect((await say()).overflow).toBe(1);
  await trial.store.accept(cloud, [{ kind: "account", number: "+15550000002" }], one);
  expect((await say()).overflow).toBe(0);
});
