import { beforeEach, expect, test } from "bun:test";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";

let clock: FakeClock;
let said: string[];
let alarms: Alarms;
beforeEach(() => {
  clock = fakeClock(1_000);
  said = [];
  const log = {
    ...silentLog,
    error: (_: object, message: string) => void said.push(`error ${message}`),
    info: (_: object, message: string) => void said.push(`info ${message}`),
  };
  alarms = new Alarms(clock, log);
});

test("what goes on being wrong is one alarm, said once, in its latest words", async () => {
  alarms.raise("store", "full", "the disk is full");
  await clock.advance(500);
  alarms.raise("store", "full", "the disk is full: 0 bytes left");
  expect(alarms.list()).toEqual([
    { source: "store", code: "full", hint: "the disk is full: 0 bytes left", since: 1_000 },
  ]);
  expect(said).toEqual(["error alarm: the disk is full"]);
});

test("what is wrong in another way is said anew, and counts from when it began", async () => {
  alarms.raise("store", "full", "the disk is full");
  await clock.advance(500);
  alarms.raise("store", "readonly", "it cannot be written");
  expect(alarms.get("store")).toMatchObject({ code: "readonly", since: 1_000 });
  expect(said).toEqual(["error alarm: the disk is full", "error alarm: it cannot be written"]);
});

test("each source has its own, which is over when it has healed", async () => {
  alarms.raise("store", "full", "the disk is full");
  alarms.raise("agent", "failed", "it fails");
  alarms.clear("store");
  alarms.clear("store");
  alarms.clear("channel");
  expect(alarms.list().map(({ source }) => source)).toEqual(["agent"]);
  expect([alarms.get("store"), alarms.get("agent")?.code]).toEqual([null, "failed"]);
  expect(said.slice(2)).toEqual(["info alarm over"]);
  await clock.advance(500);
  alarms.raise("store", "full", "again");
  expect(alarms.get("store")?.since).toBe(1_500);
});
