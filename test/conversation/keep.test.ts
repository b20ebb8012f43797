import { expect, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, storeAt, temporaryFolder } from "../support/store.ts";

const DAY = 24 * 60 * 60 * 1000;

test("a file goes, with its folder and what an agent laid there, when its message does, and not before", async () => {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const store = storeAt(join(folder.path, "revka.db"), clock);
  const { admitted } = await store.accept(
    cloud,
    [{ kind: "message", message: message() }],
    everybody,
  );
  const chat = admitted[0]?.chat ?? 0;
  const id = store.pendingMessages(chat, 1)[0]?.id ?? 0;
  const file = join(folder.path, "media", String(id), "1-photo.png");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "png");
  writeFileSync(join(dirname(file), "made.png"), "by the agent");
  // As after a move of the home: what lies beside it is not its message's.
  const [moved, beside] = ["moved.png", "beside.txt"].map((name) => join(folder.path, name));
  for (const other of [moved, beside]) writeFileSync(other ?? "", "png");
  await store.addAttachments(id, [
    { path: file, bytes: 3 },
    { path: moved ?? "", bytes: 3 },
  ]);
  await store.finishTurn({
    chat,
    turnId: "turn",
    messages: [id],
    history: [],
    keepHistory: 1,
    deliveries: [],
  });
  const stop = keepWithinRetention({
    store,
    running: [cloud],
    mediaFolder: join(folder.path, "media"),
    retentionDays: 10,
    filesWent: () => {},
    clock,
    log: silentLog,
  });
  /** A round ends with files, which take real time. */
  const pass = async (ms: number) => {
    for (let left = ms; left > 0; left -= 30 * 60_000) {
      await clock.advance(Math.min(left, 30 * 60_000));
      for (let i = 0; i < 10; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        await clock.advance(100);
      }
    }
  };
  await pass(60_000);
  expect(existsSync(file)).toBe(true);
  await pass(11 * DAY);
  // The file system takes its own time; the test's time-out ends the wait.
  while (store.attachmentBytes() > 0) await pass(60_000);
  expect(existsSync(dirname(file)) || existsSync(moved ?? "")).toBe(false);
  expect(existsSync(beside ?? "")).toBe(true);
  expect(existsSync(join(folder.path, "media"))).toBe(true);
  expect(store.attachmentBytes()).toBe(0);
  stop();
  store.close();
  folder.remove();
});

test("a clock that jumps ahead takes nothing before it has gone on for a day", async () => {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const store = storeAt(join(folder.path, "revka.db"), clock);
  const limits = spyOn(store, "retain");
  const stop = keepWithinRetention({
    store,
    running: [cloud],
    mediaFolder: join(folder.path, "media"),
    retentionDays: 10,
    filesWent: () => {},
    clock,
    log: silentLog,
  });
  const began = clock.now();
  const rounds = async () => {
    for (let i = 0; i < 10; i++) {
      await clock.advance(60_000);
      await new Promise((resolve) => setImmediate(resolve));
    }
    return (limits.mock.lastCall?.[0].contentBefore ?? 0) + 10 * DAY;
  };
  expect(await rounds()).toBeGreaterThan(began);
  await clock.advance(1000 * DAY);
  expect(await rounds()).toBeLessThan(began + DAY);
  stop();
  store.close();
  folder.remove();
});
