import { expect, spyOn, test } from "bun:test";
import type { AgentReply } from "../../src/agent/agent.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { cloud, recipientAt } from "../support/store.ts";
import { turnsOver } from "../support/turns.ts";
import { echo, from, turnsTrial } from "../support/turns-trial.ts";

// What order turns keep, and when one begins.

const { trial, build, pass, deliver, replies } = turnsTrial();

test("a chat has one turn at a time, in the order of its messages; chats run side by side", async () => {
  const gates = [Promise.withResolvers<AgentReply>(), Promise.withResolvers<AgentReply>()];
  trial.answers = [() => gates[0]!.promise, () => gates[1]!.promise, echo];
  await deliver(from("+15550001111", "a1"), from("+15550001111", "a2"));
  await deliver(from("+15550002222", "b1"));
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1"]);
  gates[0]?.resolve({ parts: [] });
  await settle();
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1", "a2"]);
  gates[1]?.resolve({ parts: [] });
});

test("no more turns run than allowed, and a chat that floods goes to the back of the queue", async () => {
  build({ maxConcurrent: 1 });
  await deliver(
    from("+15550001111", "a1"),
    from("+15550001111", "a2"),
    from("+15550001111", "a3"),
    from("+15550002222", "b1"),
  );
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1", "a2", "a3"]);
});

test("a chat that is woken again and again while it waits for its place has one turn at a time", async () => {
  build({ maxConcurrent: 2 });
  const gates = new Map<string, () => void>();
  trial.answers = [
    ({ messages }) =>
      new Promise((resolve) => gates.set(messages[0]?.text ?? "", () => resolve({ parts: [] }))),
  ];
  await deliver(from("+15550001111", "a"), from("+15550002222", "b"));
  for (const text of ["c1", "c2", "c3"]) await deliver(from("+15550003333", text));
  gates.get("a")?.();
  gates.get("b")?.();
  await settle();
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["a", "b", "c1"]);
  gates.get("c1")?.();
  await settle();
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["a", "b", "c1", "c2"]);
});

test("a burst becomes one turn once it is over", async () => {
  build({ debounceMs: 100 });
  await deliver(from("+15550001111", "one"));
  await pass(60);
  await deliver(from("+15550001111", "two"));
  await pass(90);
  expect(trial.requests).toEqual([]);
  await pass(20);
  expect(trial.requests.map((each) => each.messages.map((one) => one.text))).toEqual([
    ["one", "two"],
  ]);
});

test("messages of one chat that come at once are all answered", async () => {
  for (let i = 0; i < 20; i++) {
    const one = deliver(from("+15550001111", `a${i}`));
    const two = deliver(from("+15550001111", `b${i}`));
    await Promise.all([one, two]);
  }
  await settle();
  expect(trial.store.counts().pendingMessages).toBe(0);
  expect(trial.requests.length).toBe(40);
});

test("a paused chat keeps its messages until it is resumed", async () => {
  const chat = await trial.store.openChat(cloud, recipientAt("+15550001111"));
  await trial.store.setPaused(chat, true);
  await deliver(from("+15550001111", "hello"));
  expect(trial.requests).toEqual([]);
  await trial.store.setPaused(chat, false);
  trial.turns.wake(chat);
  await settle();
  expect(replies()).toEqual(["hello"]);
});

test("a chat that is woken while its turn finds it paused is looked at again", async () => {
  const chat = await trial.store.openChat(cloud, recipientAt("+15550001111"));
  await trial.store.setPaused(chat, true);
  await deliver(from("+15550001111", "hello"));
  const paused = trial.store.chat(chat);
  await trial.store.setPaused(chat, false);
  const read = spyOn(trial.store, "chat").mockReturnValueOnce(paused);
  trial.turns.wake(chat);
  trial.turns.wake(chat);
  await settle();
  read.mockRestore();
  expect(replies()).toEqual(["hello"]);
});

test("a chat whose account no longer runs keeps its messages, and nothing is tried", async () => {
  await trial.turns.drain(0);
  await deliver(from("+15550001111", "hello"));
  const told = spyOn(silentLog, "error");
  turnsOver(trial.store, () => undefined, trial.clock, echo).start();
  await settle();
  expect(trial.store.counts().pendingMessages).toBe(1);
  expect(trial.clock.pending).toBe(0);
  expect(told).not.toHaveBeenCalled();
  told.mockRestore();
});
