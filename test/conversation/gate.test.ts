import { beforeEach, expect, test } from "bun:test";
import type { Pace } from "../../src/channels/channel.ts";
import { Gate, type Entry } from "../../src/conversation/gate.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";

// Who of one account may send now, and who is woken when.

const places = 64;
/** A message at once and another after 112 ms; for one recipient, one in a minute. */
const pace: Pace = { perSecond: 10, recipientIntervalMs: 60_000, recipientBurst: 1 };
const perMessage = 112;
const isIn: Entry = { in: true };
const waits: Entry = { in: false, afterMs: null };

let clock: FakeClock;
/** How far the clock is ahead of its timers. */
let ahead: number;
/** For how long each timer was set, ms. */
let timers: number[];
let woken: number[];
/** What a chat does that is woken. */
let wakes: (chat: number) => void;
let gate: Gate;
beforeEach(() => {
  clock = fakeClock();
  ahead = 0;
  timers = [];
  woken = [];
  wakes = () => {};
  gate = new Gate({
    clock: {
      now: () => clock.now() + ahead,
      after: (ms, callback) => (timers.push(ms), clock.after(ms, callback)),
    },
    wake(chat) {
      woken.push(chat);
      wakes(chat);
    },
  });
});

const enter = (chat: number) => gate.enter(chat, pace);
/** Takes so many places by chats that no pace holds up. */
const fill = (count: number) => {
  for (let chat = 1; chat <= count; chat++)
    expect(gate.enter(1000 + chat, undefined)).toEqual(isIn);
};

test("where all places are taken, who comes waits for one, and gets it in turn", () => {
  fill(places);
  wakes = (chat) => expect(gate.enter(chat, undefined)).toEqual(isIn);
  for (const chat of [1, 2, 3]) expect(gate.enter(chat, undefined)).toEqual(waits);
  gate.leave();
  expect(woken).toEqual([1]);
  gate.leave();
  expect(woken).toEqual([1, 2]);
});

test("who is woken and has nothing to send leaves the place to the next, and is woken no more", () => {
  fill(places);
  for (const chat of [1, 2]) expect(gate.enter(chat, undefined)).toEqual(waits);
  gate.leave();
  gate.leave();
  expect(woken).toEqual([1, 2]);
});

test("a chat keeps its place while nobody waits for one, and its pace lets it", () => {
  fill(places);
  expect(gate.again(1001, undefined)).toBe(true);
  expect([gate.again(1001, pace), gate.again(1001, pace)]).toEqual([true, false]);
  gate.enter(1, undefined);
  expect(gate.again(1001, undefined)).toBe(false);
});

test("who comes too early for the account stands in line, which has one timer", async () => {
  wakes = (chat) => expect(enter(chat)).toEqual(isIn);
  expect(enter(1)).toEqual(isIn);
  for (const chat of [2, 3, 4]) expect(enter(chat)).toEqual(waits);
  expect(timers).toEqual([perMessage]);
  await clock.advance(perMessage - 1);
  expect(woken).toEqual([]);
  await clock.advance(1);
  expect(woken).toEqual([2]);
  await clock.advance(2 * perMessage);
  expect(woken).toEqual([2, 3, 4]);
  expect(timers).toHaveLength(3);
});

test("who comes too early for the recipient comes back, and holds up nobody", async () => {
  expect(enter(1)).toEqual(isIn);
  await clock.advance(perMessage);
  expect(enter(1)).toEqual({ in: false, afterMs: 60_000 - perMessage });
  expect(enter(2)).toEqual(isIn);
});

test("nobody overtakes the line: not while one of it is called, nor when the time has come", async () => {
  enter(1);
  for (const chat of [2, 3]) enter(chat);
  const entries: Entry[] = [];
  wakes = (chat) => {
    wakes = () => {};
    entries.push(enter(4), enter(chat));
  };
  await clock.advance(perMessage);
  expect(woken).toEqual([2]);
  expect(entries).toEqual([waits, isIn]);
  ahead = perMessage;
  expect(enter(5)).toEqual(waits);
});

test("who was called and did not come stands behind the line", async () => {
  for (const chat of [1, 2]) enter(chat);
  await clock.advance(perMessage);
  expect(woken).toEqual([2]);
  expect([enter(3), enter(4)]).toEqual([isIn, waits]);
  ahead = perMessage;
  expect(enter(2)).toEqual(waits);
});

test("the line waits for a place, too", async () => {
  enter(1);
  enter(2);
  fill(places - 1);
  await clock.advance(perMessage);
  expect(woken).toEqual([]);
  gate.leave();
  expect(woken).toEqual([2]);
});

test("a place that is free calls nobody before the pace lets one send", async () => {
  enter(1);
  enter(2);
  await clock.advance(perMessage - 1);
  gate.leave();
  expect(woken).toEqual([]);
  expect(enter(3)).toEqual(waits);
  await clock.advance(1);
  expect(woken).toEqual([2, 3]);
});
