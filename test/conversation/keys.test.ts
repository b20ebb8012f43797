import { expect, test } from "bun:test";
import { join } from "node:path";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeClock } from "../support/clock.ts";
import { cloud, everybody, message, storeAt, temporaryFolder } from "../support/store.ts";

const DAY = 24 * 60 * 60 * 1000;

test("a message is known for eight days, however short the retention, and then no longer", async () => {
  const clock = fakeClock();
  const folder = temporaryFolder();
  const store = storeAt(join(folder.path, "revka.db"), clock);
  const known = message();
  const take = () => store.accept(cloud, [{ kind: "message", message: known }], everybody);
  const { admitted } = await take();
  const chat = admitted[0]?.chat ?? -1;
  const [entry] = store.pendingMessages(chat, 1);
  await store.finishTurn({
    chat,
    turnId: "turn",
    messages: [entry?.id ?? -1],
    history: [{ role: "user", text: known.text, messageId: entry?.id ?? -1 }],
    keepHistory: 40,
    deliveries: [],
  });
  const stop = keepWithinRetention({
    store,
    running: [],
    mediaFolder: join(folder.path, "media"),
    retentionDays: 1,
    clock,
    log: silentLog,
  });
  /** Long enough for a round of retention, whose commits come in `setImmediate`. */
  const pass = async (ms: number) => {
    // A clock that jumps is not believed.
    for (let left = ms; left > 0; left -= 30 * 60_000) {
      await clock.advance(Math.min(left, 30 * 60_000));
      for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
    }
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
      await clock.advance(60_000);
    }
  };
  await pass(1.1 * DAY);
  expect(store.history(chat, 9)).toEqual([]);
  await pass(6.8 * DAY);
  expect((await take()).duplicates).toBe(1);
  await pass(0.3 * DAY);
  expect((await take()).duplicates).toBe(0);
  stop();
  store.close();
  folder.remove();
});
