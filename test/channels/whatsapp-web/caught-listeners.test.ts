import { EventEmitter } from "node:events";
import { expect, test } from "bun:test";
import { catchRejections } from "../../../src/channels/whatsapp-web/caught-listeners.ts";

test("what a listener rejects with is caught; all listeners hear, in order, with their values", async () => {
  const emitter = new EventEmitter();
  const heard: string[] = [];
  const rejected: unknown[] = [];
  const lost = new Error("Cannot call write after a stream was destroyed");
  emitter.on("a", async (value: string) => {
    heard.push(`first ${value}`);
    throw lost;
  });
  emitter.on("a", (value: string) => heard.push(`second ${value}`));
  emitter.on("b", () => heard.push("other"));
  catchRejections(emitter, (error) => rejected.push(error));
  emitter.emit("a", "one");
  emitter.emit("b");
  emitter.emit("a", "two");
  await new Promise((resolve) => setImmediate(resolve));
  expect(heard).toEqual(["first one", "second one", "other", "first two", "second two"]);
  expect(rejected).toEqual([lost, lost]);
});

test("whoever calls a listener can still wait for its end", async () => {
  const emitter = new EventEmitter();
  let ended = false;
  emitter.on("a", async () => {
    await new Promise((resolve) => setImmediate(resolve));
    ended = true;
  });
  catchRejections(emitter, () => {});
  await emitter.listeners("a")[0]?.();
  expect(ended).toBe(true);
});

test("who listens once is called once", () => {
  const emitter = new EventEmitter();
  let calls = 0;
  emitter.once("a", () => calls++);
  catchRejections(emitter, () => {});
  emitter.emit("a");
  emitter.emit("a");
  expect(calls).toBe(1);
});

test("what a listener throws at once is thrown, as before", () => {
  const emitter = new EventEmitter();
  emitter.on("a", () => {
    throw new Error("a mistake");
  });
  catchRejections(emitter, () => {});
  expect(() => emitter.emit("a")).toThrow("a mistake");
});
