import { EventEmitter } from "node:events";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { pullBacklog } from "../../../src/channels/whatsapp-web/backlog.ts";
import { fakeClock } from "../../support/clock.ts";
import { Harness } from "./harness.ts";

describe("of what waits for this device", () => {
  const clock = fakeClock();
  let ws: EventEmitter;
  let said: string[];
  let waiting: number;
  let handled: () => void;
  beforeEach(() => {
    ws = new EventEmitter();
    said = [];
    waiting = 0;
    handled = pullBacklog({
      ...{ ws, clock },
      waiting: () => waiting,
      send: async ({ content }) => void said.push(JSON.stringify(content)),
      onStuck: () => said.push("stuck"),
    });
  });
  afterEach(() => ws.emit("close"));

  const request = '[{"tag":"offline_batch","attrs":{"count":"100"}}]';
  const announce = (count: string) => {
    const content = [{ tag: "offline_preview", attrs: { count } }];
    ws.emit("CB:ib,,offline_preview", { tag: "ib", attrs: {}, content });
  };
  const arrive = (times: number) => {
    for (let i = 0; i < times; i++) ws.emit("CB:receipt,offline", {});
  };

  test("more is asked for before a batch is at its end, until it was all", () => {
    announce("400");
    arrive(50);
    expect(said).toEqual([]);
    arrive(1);
    expect(said).toEqual([request]);
    arrive(51);
    expect(said).toEqual([request, request]);
    ws.emit("CB:ib,,offline", {});
    arrive(200);
    expect(said).toEqual([request, request]);
  });

  test("none is asked for while messages wait to be handled, however long", async () => {
    announce("400");
    waiting = 101;
    arrive(100);
    await clock.advance(3_600_000);
    expect(said).toEqual([]);
    waiting = 100;
    handled();
    handled();
    expect(said).toEqual([request]);
    ws.emit("CB:ib,,offline", {});
    arrive(100);
    handled();
    expect(said).toEqual([request]);
  });

  test("each kind counts", () => {
    announce("400");
    for (const tag of ["message", "notification", "call", "status"])
      for (let i = 0; i < 13; i++) ws.emit(`CB:${tag},offline`, {});
    expect(said).toEqual([request]);
  });

  test("what was announced and does not come is asked for, and silence begins with what comes", async () => {
    announce("400");
    await clock.advance(10_000);
    expect(said).toEqual([request]);
    for (let times = 0; times < 5; times++) {
      await clock.advance(9_000);
      arrive(1);
    }
    expect(said).toEqual([request]);
    await clock.advance(10_000);
    expect(said).toEqual([request, request]);
  });

  test("what was handled while others wait, or nothing is to come, asks for none", () => {
    handled();
    announce("400");
    waiting = 101;
    arrive(100);
    handled();
    expect(said).toEqual([]);
  });

  test("it is asked for again where nothing comes, and not for ever", async () => {
    announce("400");
    arrive(5);
    await clock.advance(9_999);
    expect(said).toEqual([]);
    await clock.advance(1);
    expect(said).toEqual([request]);
    arrive(1);
    await clock.advance(60_000);
    expect(said).toEqual(Array(7).fill(request));
    await clock.advance(10_000);
    expect(said.slice(7)).toEqual(["stuck"]);
    await clock.advance(3_600_000);
    arrive(200);
    expect(said).toHaveLength(8);
  });

  test("nothing is asked for where there is nothing, or the connection is gone", async () => {
    announce("0");
    await clock.advance(60_000);
    announce("400");
    ws.emit("close");
    await clock.advance(60_000);
    expect(said).toEqual([]);
  });
});

describe("a server that gives out what it is asked for", () => {
  let h: Harness;
  afterEach(() => h.stop());

  test("is asked for all, so that what is new comes too", async () => {
    h = await Harness.linked();
    h.wa.inBatches = true;
    await h.channel.stop();
    for (let i = 1; i <= 130; i++) await h.ada.send(h.owner, `kept ${i}`);
    await h.run();
    await h.ready();
    await h.bob.send(h.owner, "new");
    await h.message("new");
    const texts = Array.from({ length: 130 }, (_, at) => `kept ${at + 1}`);
    expect(h.messages().map(({ text }) => text)).toEqual([...texts, "new"]);
  });
});
