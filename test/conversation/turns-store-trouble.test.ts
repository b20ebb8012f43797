import { expect, spyOn, test } from "bun:test";
import type { AgentReply } from "../../src/agent/agent.ts";
import { StoreError } from "../../src/store/contract.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { message } from "../support/store.ts";
import { settle } from "../support/settle.ts";
import { from, turnsTrial } from "../support/turns-trial.ts";

// A store in trouble costs time, and no second question to the agent.

const { trial, build, pass, deliver, replies } = turnsTrial();

test("a store that cannot be read holds a chat up, and ends nothing", async () => {
  build({ debounceMs: 100 });
  const read = spyOn(trial.store, "pendingMessages").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  const told = spyOn(silentLog, "error");
  await deliver(message());
  await pass(300);
  expect(trial.requests).toEqual([]);
  expect(told.mock.calls.map(([, words]) => words)).toEqual([
    "a turn could not be finished; it is repeated",
  ]);
  told.mockRestore();
  read.mockRestore();
  await pass(2_300);
  expect(trial.requests).toHaveLength(1);
});

test("what comes in the pause after a failed turn begins the next, and there is one at a time", async () => {
  const read = spyOn(trial.store, "pendingMessages").mockImplementationOnce(() => {
    throw new Error("disk I/O error");
  });
  const answer = Promise.withResolvers<AgentReply>();
  trial.answers = [() => answer.promise];
  await deliver(from("+15550001111", "one"));
  expect(trial.requests).toEqual([]);
  await deliver(from("+15550001111", "two"));
  await pass(5_000);
  expect(trial.requests.map(({ messages }) => messages[0]?.text)).toEqual(["one"]);
  answer.resolve({ parts: [] });
  await settle();
  expect(trial.requests.map(({ messages }) => messages[0]?.text)).toEqual(["one", "two"]);
  read.mockRestore();
});

test("an answer that cannot be stored waits for the store: the agent is not asked again", async () => {
  const full = new StoreError("full", "the disk is full");
  const finish = spyOn(trial.store, "finishTurn").mockRejectedValue(full);
  await deliver(from("+15550001111", "hello"));
  for (let i = 0; i < 5; i++) await pass(2_000);
  expect(trial.alarms.get("store")?.code).toBe("full");
  finish.mockRestore();
  await pass(2_000);
  expect(trial.requests.length).toBe(1);
  expect(replies()).toEqual(["hello"]);
  expect(trial.alarms.list()).toEqual([]);
});

test("an answer whose files cannot be kept is kept later: the agent is not asked again", async () => {
  let full = true;
  build(
    {},
    {
      async compose(_channel, _request, _turn, parts) {
        if (full) throw new StoreError("full", "the disk is full");
        return parts.flatMap((part) => (part.kind === "text" ? [{ ...part, quote: null }] : []));
      },
    },
  );
  await deliver(from("+15550001111", "hello"));
  await pass(1_000);
  full = false;
  await pass(2_000);
  expect(trial.requests.length).toBe(1);
  expect(replies()).toEqual(["hello"]);
});
