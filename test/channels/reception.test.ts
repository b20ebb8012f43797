import { describe, expect, test } from "bun:test";
import { webhookRoutes } from "../../src/channels/intake.ts";
import { Reception } from "../../src/channels/reception.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { fakeClock } from "../support/clock.ts";

const mebibyte = 1024 * 1024;

describe("room for bodies", () => {
  test("of all large ones together is bounded, and comes back", () => {
    const reception = new Reception(4 * mebibyte);
    const leave = Array.from({ length: 8 }, () => reception.enter(4 * mebibyte));
    expect(leave.every((each) => each !== null)).toBe(true);
    expect(reception.enter(mebibyte)).toBeNull();
    leave[0]?.();
    expect(reception.enter(mebibyte)).not.toBeNull();
  });

  test("without a length is taken for the longest, and so is one with a length that is none", () => {
    for (const declared of [null, Number.NaN, 1.5]) {
      const reception = new Reception(4 * mebibyte);
      for (let i = 0; i < 8; i++) expect(reception.enter(declared)).not.toBeNull();
      expect(reception.enter(declared)).toBeNull();
    }
  });

  test("is kept for small ones while large ones have none, and bounded too, and comes back", () => {
    const reception = new Reception(4 * mebibyte);
    while (reception.enter(null));
    const leave = Array.from({ length: 1000 }, () => reception.enter(2_000));
    expect(leave.every((each) => each !== null)).toBe(true);
    expect(reception.enter(2_000)).toBeNull();
    leave[0]?.();
    expect(reception.enter(2_000)).not.toBeNull();
  });
});

describe("a webhook's body", () => {
  const clock = fakeClock();
  const routes = webhookRoutes(
    {
      channel: "whatsapp",
      path: "/hook",
      clock,
      log: silentLog,
      metrics: createMetrics(),
      deliver: () => null,
      onOtherNumber() {},
    },
    {
      get: (context) => context.text("get"),
      async post(context, intake) {
        const bytes = await intake.readBody(context);
        return bytes instanceof Response ? bytes : context.json({ length: bytes.length });
      },
    },
  );
  /** A body that begins and never ends; undefined declares no length. */
  const unfinished = (length?: number) =>
    routes.request("/hook", {
      method: "POST",
      headers: length === undefined ? {} : { "content-length": String(length) },
      body: new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) }),
      ...{ duplex: "half" },
    });
  const whole = (length: number) =>
    routes.request("/hook", {
      method: "POST",
      headers: { "content-length": String(length) },
      body: "x".repeat(length),
    });

  test("that finds no room is told to come again; small ones still find theirs; late ones make room", async () => {
    const waiting = Array.from({ length: 8 }, (_, index) =>
      unfinished(index % 2 === 0 ? undefined : 4 * mebibyte),
    );
    const refused = await unfinished(mebibyte);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("5");
    expect(await refused.json()).toEqual({ error: "too many bodies are arriving" });
    expect(await (await whole(5)).json()).toEqual({ length: 5 });
    await clock.advance(30_000);
    expect((await Promise.all(waiting)).map((answer) => answer.status)).toEqual(
      Array.from({ length: 8 }, () => 400),
    );
    expect(await (await whole(mebibyte)).json()).toEqual({ length: mebibyte });
  });
});
