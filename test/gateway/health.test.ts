import { expect, test } from "bun:test";
import { healthOf, sparingly, type ChannelHealth } from "../../src/gateway/health.ts";
import { fakeClock } from "../support/clock.ts";

const ready: ChannelHealth = {
  channel: "whatsapp",
  backend: "cloud",
  state: "ready",
  reason: null,
};
const skipped: ChannelHealth = { channel: "wati", backend: null, state: "skipped", reason: "why" };
const storeAlarm = { source: "store", code: "full", hint: "the disk is full", since: 0 };
const agentAlarm = { source: "agent", code: "failed", hint: "it fails", since: 0 };

test.each([
  ["every channel ready", [ready], [], []],
  ["an agent that fails is no channel that fails", [ready], [agentAlarm], []],
  ["no channel at all", [], [], []],
  ["one of two not ready", [ready, skipped], [], ["wati is skipped: why"]],
  [
    "a reason that is not known",
    [{ ...ready, state: "connecting" }],
    [],
    ["whatsapp is connecting"],
  ],
  [
    "a store that cannot be read",
    [ready],
    [{ ...storeAlarm, source: "store.read" }],
    ["the disk is full"],
  ],
  ["a store that cannot be written", [ready], [agentAlarm, storeAlarm], ["the disk is full"]],
])("%s", (_, channels, alarms, reasons) => {
  const health = healthOf(channels, alarms);
  expect(health.reasons).toEqual(reasons);
  expect(health.status).toBe(reasons.length === 0 ? "ok" : "failing");
});

test("only what health is about is shown, whatever else a report holds", () => {
  const report = { ...ready, linked_as: "+15550001111", last_error: { hint: "token" } };
  expect(healthOf([report], []).channels).toEqual([ready]);
});

test("who asks hears what the check found, also where an earlier one found it", async () => {
  const clock = fakeClock();
  const check = sparingly(async () => {
    throw new Error("no room");
  }, clock);
  for (let asked = 0; asked < 11; asked++) await expect(check()).rejects.toThrow("no room");
});

test("whoever asks often does not have the store written often", async () => {
  const clock = fakeClock();
  let checks = 0;
  const check = sparingly(async () => void checks++, clock);
  for (let asked = 0; asked < 50; asked++) await check();
  expect(checks).toBe(10);
  await clock.advance(999);
  await check();
  expect(checks).toBe(10);
  await clock.advance(1);
  await check();
  await check();
  expect(checks).toBe(11);
});
