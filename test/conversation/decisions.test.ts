import { describe, expect, test } from "bun:test";
import type { Channel } from "../../src/channels/channel.ts";
import type { SendFailure } from "../../src/channels/message.ts";
import { burstDue, takeBurst } from "../../src/conversation/burst.ts";
import { Pacer, TokenBucket } from "../../src/conversation/pace.ts";
import { decideRetry, pauseOfUnsent } from "../../src/conversation/retry.ts";

const arrivals = (...times: number[]) => times.map((receivedAt) => ({ receivedAt }));

describe("a burst", () => {
  test.each([
    ["nothing waits", [], 100, 0, 0],
    ["no debounce: each message alone, at once", [0, 0, 1], 0, 1, 0],
    ["one message waits for more", [0], 100, 1, 100],
    ["close ones join", [0, 50, 120], 100, 3, 220],
    ["a gap ends it, so it is due at once", [0, 50, 151], 100, 2, 0],
    ["it waits no longer than three times the debounce", [0, 90, 180, 270], 100, 4, 300],
    ["what comes after three times belongs to the next", [0, 90, 180, 270, 350], 100, 4, 0],
  ])("%s", (_, times, debounce, joined, due) => {
    const waiting = arrivals(...times);
    expect(takeBurst(waiting, debounce).length).toBe(joined);
    expect(burstDue(waiting, debounce)).toBe(due);
  });
});

describe("a failed send", () => {
  const failure = (retry: SendFailure["retry"], afterMs: number | null = null): SendFailure => ({
    retry,
    afterMs,
    code: "x",
    hint: "y",
  });
  test.each([
    ["for good", failure("no"), 1, null, "status"],
    ["first pause", failure("backoff"), 1, 2_000, "status"],
    ["doubles", failure("backoff"), 4, 16_000, "status"],
    ["up to five minutes", failure("backoff"), 15, 300_000, "status"],
    ["the platform's wish, where longer", failure("backoff", 45_000), 1, 45_000, "status"],
    ["not where shorter", failure("backoff", 100), 4, 16_000, "status"],
    ["a recipient's limit is 4^n s", failure("recipient"), 2, 16_000, "status"],
    ["up to five minutes, too", failure("recipient"), 24, 300_000, "status"],
    ["the last try", failure("backoff"), 25, null, "status"],
    ["without an answer, it waits for its status", failure("ambiguous"), [1, 1], 60_000, "status"],
    ["where it is asked for, not sooner than others", failure("ambiguous"), [8, 1], 256_000, "ask"],
    ["a second time, it waits longer", failure("ambiguous"), [2, 2], 240_000, "status"],
    ["as long as is asked for", failure("ambiguous", 90_000), [1, 1], 90_000, "status"],
    ["without an answer, too often to be harmless", failure("ambiguous"), [3, 3], null, "status"],
    ["tries that were answered do not count", failure("ambiguous"), [9, 1], 60_000, "status"],
    ["nor do any, where a repeat is harmless", failure("ambiguous"), [3, 3], 8_000, "same-id"],
    ["but for the last", failure("ambiguous"), [25, 1], null, "same-id"],
  ] as [string, SendFailure, number | [number, number], number | null, Channel["repeat"]][])(
    "%s",
    (_, given, tried, afterMs, repeat) => {
      const [attempts, unanswered] = typeof tried === "number" ? [tried, 0] : tried;
      const channel = { repeat, graceMs: 60_000 };
      const decision = decideRetry(given, { attempts, unanswered }, channel, 0.5);
      expect(decision).toEqual(afterMs === null ? { again: false } : { again: true, afterMs });
    },
  );

  const often = (attempts: number) => ({ attempts, unanswered: 0 });
  const cloud: Pick<Channel, "repeat"> = { repeat: "status" };

  test.each([
    ["at once after the first", 0, 2_000],
    ["as long again as it has been away", 10_000, 10_000],
    ["five minutes at most", 3_600_000, 300_000],
  ])("what could not leave is tried again: %s", (_, outage, pause) => {
    expect(pauseOfUnsent(outage, 0.5)).toBe(pause);
    expect([0, 1].map((random) => pauseOfUnsent(outage, random))).toEqual([
      0.8 * pause,
      1.2 * pause,
    ]);
  });

  test("a recipient's limit is never tried too soon", () => {
    const decision = decideRetry(failure("recipient"), often(2), cloud, 0);
    expect(decision).toEqual({ again: true, afterMs: 16_000 });
  });

  test("is tried for over an hour, and the pauses are spread by a fifth", () => {
    let total = 0;
    for (let attempts = 1; attempts < 25; attempts++) {
      const low = decideRetry(failure("backoff"), often(attempts), cloud, 0);
      const high = decideRetry(failure("backoff"), often(attempts), cloud, 1);
      if (!low.again || !high.again) throw new Error("gave up early");
      expect(high.afterMs / low.afterMs).toBeCloseTo(1.5, 1);
      total += low.afterMs;
    }
    expect(total).toBeGreaterThan(60 * 60_000);
    expect(decideRetry(failure("backoff"), often(25), cloud, 0).again).toBe(false);
  });
});

describe("pace", () => {
  test("a bucket gives its burst at once, then one per interval", () => {
    const bucket = new TokenBucket(1 / 6000, 2, 0);
    const waits = [0, 0, 0, 3000, 6000].map((now) => {
      const wait = bucket.wait(now);
      if (wait === 0) bucket.take(now);
      return wait;
    });
    expect(waits).toEqual([0, 0, 6000, 3000, 0]);
  });

  test("a clock that is set back by a year costs no wait beyond the usual", () => {
    const year = 365 * 86_400_000;
    const bucket = new TokenBucket(1 / 6000, 2, year);
    bucket.take(year);
    bucket.take(year);
    expect(bucket.wait(0)).toBe(6000);
    expect(bucket.wait(6000)).toBe(0);
  });

  test("one recipient's burst does not use up another's, the account's limit holds for all", () => {
    const pacer = new Pacer({ perSecond: 40, recipientIntervalMs: 6000, recipientBurst: 2 }, 0);
    for (const chat of [1, 1, 2, 2]) {
      expect([pacer.accountWait(0), pacer.recipientWait(chat, 0)]).toEqual([0, 0]);
      pacer.take(chat, 0);
    }
    expect([1, 2, 3].map((chat) => pacer.recipientWait(chat, 0))).toEqual([6000, 6000, 0]);
    expect([pacer.accountWait(0), pacer.accountWait(28)]).toEqual([28, 0]);
  });

  test("a recipient who has used up the burst is remembered among ever so many others", () => {
    const pacer = new Pacer({ perSecond: 1e6, recipientIntervalMs: 6000, recipientBurst: 1 }, 0);
    for (let chat = 0; chat <= 10_000; chat++) pacer.take(chat, 0);
    expect([pacer.recipientWait(0, 0), pacer.recipientWait(10_000, 0)]).toEqual([6000, 6000]);
  });

  test.each([1, 10, 80])("no second sees more than %i messages", (perSecond) => {
    const pacer = new Pacer({ perSecond, recipientIntervalMs: 6000, recipientBurst: 45 }, 0);
    const sent: number[] = [];
    for (let now = 0; now < 5_000; now++) {
      while (pacer.accountWait(now) === 0) {
        pacer.take(sent.length, now);
        sent.push(now);
      }
    }
    const most = Math.max(
      ...sent.map((at) => sent.filter((it) => it >= at && it < at + 1000).length),
    );
    expect(most).toBeLessThanOrEqual(perSecond);
    expect(sent.length).toBeGreaterThanOrEqual(4.4 * perSecond);
  });
});
