import { describe, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { prepared } from "../support/prepared.ts";
import { settle } from "../support/settle.ts";
import { breaks, echo, from, never, says, turnsTrial } from "../support/turns-trial.ts";

// An agent that fails, or a turn that never ends by itself, costs the turn and not the chat.

const { trial, build, pass, deliver, replies } = turnsTrial();

describe("an agent that fails", () => {
  test("is tried again, and the customer sees only the answer", async () => {
    trial.answers = [breaks, breaks, says("there")];
    await deliver(from("+15550001111", "hello"));
    await pass(1_000);
    await pass(2_000);
    expect(trial.requests.length).toBe(3);
    expect(new Set(trial.requests.map((each) => each.turn_id)).size).toBe(1);
    expect(replies()).toEqual(["there"]);
    expect(trial.alarms.list()).toEqual([]);
  });

  test("until its time is up: then the failure reply, an alarm, and no error text", async () => {
    trial.answers = [breaks];
    await deliver(from("+15550001111", "hello"));
    for (let i = 0; i < 31; i++) await pass(1_000);
    expect(replies()).toEqual(["Sorry."]);
    expect(trial.alarms.list().map((alarm) => alarm.source)).toEqual(["agent"]);
    expect(trial.store.history(1, 9)).toEqual([{ role: "user", text: "hello" }]);
  });

  test("by hanging is cut off when its time is up, and its chat goes on", async () => {
    trial.answers = [never, echo];
    await deliver(from("+15550001111", "one"), from("+15550001111", "two"));
    await pass(30_000);
    await settle();
    expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["one", "two"]);
  });

  test("for a reason that cannot pass gets its failure reply at once", async () => {
    trial.answers = [
      async () => {
        throw new AgentError("no such model", false);
      },
    ];
    await deliver(from("+15550001111", "hello"));
    expect(replies()).toEqual(["Sorry."]);
  });
});

test("a preparation that never ends costs the turn, not the chat", async () => {
  let stuck = true;
  build(
    {},
    { prepare: (channel, entry) => (stuck ? new Promise(() => {}) : prepared(channel, entry)) },
  );
  await deliver(from("+15550001111", "one"));
  await pass(30_000);
  expect(replies()).toEqual(["Sorry."]);
  expect(trial.store.history(1, 9)).toEqual([{ role: "user", text: "one" }]);
  stuck = false;
  await deliver(from("+15550001111", "two"));
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["two"]);
});

test("an answer whose files are never read costs the turn, not the chat", async () => {
  build({}, { compose: () => new Promise(() => {}) });
  await deliver(from("+15550001111", "one"), from("+15550001111", "two"));
  await pass(30_000);
  expect(replies()).toEqual(["Sorry."]);
  expect(trial.requests.map((each) => each.messages[0]?.text)).toEqual(["one", "two"]);
});

test("a fault while messages are prepared repeats the turn, and the customer reads nothing of it", async () => {
  let times = 0;
  build(
    {},
    {
      prepare: async (...of) => {
        if (++times === 1) throw new Error("a fault");
        return prepared(of[0], of[1]);
      },
    },
  );
  await deliver(from("+15550001111", "hello"));
  expect(replies()).toEqual([]);
  await pass(2_000);
  expect(replies()).toEqual(["hello"]);
});
