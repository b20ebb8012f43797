import { expect, mock, spyOn, test } from "bun:test";
import type { AgentReply } from "../../src/agent/agent.ts";
import { NotAccepted } from "../../src/channels/channel.ts";
import { StoreError } from "../../src/store/contract.ts";
import { settle } from "../support/settle.ts";
import { breaks, echo, from, never, turnsTrial } from "../support/turns-trial.ts";

// What a stop of the daemon waits for, and what it leaves to the next start.

const { trial, build, pass, deliver, replies } = turnsTrial();

test("a stop parks a turn that does not end, and the next start runs it anew", async () => {
  trial.answers = [never];
  await deliver(from("+15550001111", "hello"));
  const drained = trial.turns.drain(5_000);
  await pass(6_500);
  await drained;
  expect(trial.store.counts().pendingMessages).toBe(1);
  expect(replies()).toEqual([]);
  trial.answers = [echo];
  build();
  trial.turns.start();
  await settle();
  expect(replies()).toEqual(["hello"]);
  expect(new Set(trial.requests.map((each) => each.turn_id)).size).toBe(1);
});

test("a stop waits for the turn that runs, and begins no other", async () => {
  const answer = Promise.withResolvers<AgentReply>();
  trial.answers = [() => answer.promise, echo];
  build({ maxConcurrent: 1 });
  await deliver(from("+15550001111", "hello"), from("+15550002222", "later"));
  const stopped = mock(() => {});
  const drained = trial.turns.drain(5_000).then(stopped);
  await pass(4_900);
  expect(stopped).not.toHaveBeenCalled();
  answer.resolve({ parts: [{ kind: "text", text: "just in time" }] });
  await settle();
  expect(stopped).toHaveBeenCalled();
  await drained;
  expect(replies()).toEqual(["just in time"]);
  expect(trial.requests.length).toBe(1);
  trial.turns.wake(trial.store.chatsWithPendingMessages()[0] ?? 0);
  await settle();
  expect(trial.requests.length).toBe(1);
});

test("a stop waits for every turn that runs, and leaves no timer", async () => {
  const answers = [Promise.withResolvers<AgentReply>(), Promise.withResolvers<AgentReply>()];
  trial.answers = answers.map(
    ({ promise }) =>
      () =>
        promise,
  );
  await deliver(from("+15550001111", "hello"), from("+15550002222", "hello"));
  expect(trial.turns.running).toBe(2);
  const stopped = mock(() => {});
  void trial.turns.drain(5_000).then(stopped);
  answers[1]?.resolve({ parts: [] });
  await settle();
  expect(stopped).not.toHaveBeenCalled();
  answers[0]?.resolve({ parts: [] });
  await settle();
  expect(stopped).toHaveBeenCalledTimes(1);
  expect(trial.clock.pending).toBe(0);
});

test("a stop while a burst gathers leaves it to the next start", async () => {
  build({ debounceMs: 100 });
  await deliver(from("+15550001111", "hello"));
  await trial.turns.drain(5_000);
  expect(trial.clock.pending).toBe(0);
  await pass(1_000);
  expect(trial.requests).toEqual([]);
  build();
  trial.turns.start();
  await settle();
  expect(replies()).toEqual(["hello"]);
});

test("a turn that outlasts a stop is cut off after the grace", async () => {
  let cut = false;
  trial.answers = [
    (_, signal) => {
      signal.addEventListener("abort", () => (cut = true));
      return new Promise(() => {});
    },
  ];
  await deliver(from("+15550001111", "hello"));
  const stopped = mock(() => {});
  void trial.turns.drain(5_000).then(stopped);
  await pass(4_900);
  expect(cut).toBe(false);
  await pass(200);
  expect(cut).toBe(true);
  expect(stopped).toHaveBeenCalled();
});

test("a turn that is deaf even then is left behind a second later", async () => {
  const finish = spyOn(trial.store, "finishTurn").mockReturnValue(new Promise(() => {}));
  await deliver(from("+15550001111", "hello"));
  const stopped = mock(() => {});
  void trial.turns.drain(5_000).then(stopped);
  await pass(5_900);
  expect(stopped).not.toHaveBeenCalled();
  await pass(200);
  expect(stopped).toHaveBeenCalled();
  finish.mockRestore();
});

test("a stop ends the making of a voice note after the grace, too", async () => {
  const cut = mock(() => {});
  const speak = (_: unknown, __: unknown, ___: unknown, signal: AbortSignal) =>
    new Promise<null>((resolve) => {
      signal.addEventListener("abort", () => (cut(), resolve(null)));
    });
  build({}, { speak });
  await deliver(from("+15550001111", "hello"));
  expect(replies()).toEqual(["hello"]);
  const stopped = mock(() => {});
  void trial.turns.drain(5_000).then(stopped);
  await pass(4_900);
  expect(cut).not.toHaveBeenCalled();
  expect(stopped).not.toHaveBeenCalled();
  await pass(200);
  expect(cut).toHaveBeenCalledTimes(1);
  expect(stopped).toHaveBeenCalledTimes(1);
});

test("a stop with no turn under way waits for nothing", async () => {
  await trial.turns.drain(5_000);
  expect(trial.clock.pending).toBe(0);
});

test("a stop between two tries of an agent begins no other, and waits for nothing", async () => {
  trial.answers = [breaks];
  await deliver(from("+15550001111", "hello"));
  const drained = trial.turns.drain(5_000);
  await settle();
  await drained;
  expect(trial.requests.length).toBe(1);
  expect(trial.store.counts().pendingMessages).toBe(1);
  expect(replies()).toEqual([]);
});

test("a stop does not wait for a store that takes nothing; the next start answers", async () => {
  const finish = spyOn(trial.store, "finishTurn").mockRejectedValue(new StoreError("full", "full"));
  await deliver(from("+15550001111", "hello"));
  const drained = trial.turns.drain(5_000);
  await settle();
  await drained;
  finish.mockRestore();
  build();
  trial.turns.start();
  await settle();
  expect(replies()).toEqual(["hello"]);
});

test("a stopping inbox accepts nothing and says when to come again", async () => {
  trial.inbox.stop();
  await expect(deliver(from("+15550001111", "hello"))).rejects.toThrow(NotAccepted);
  expect(trial.store.counts().pendingMessages).toBe(0);
});
