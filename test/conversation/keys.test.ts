import { expect, test } from "bun:test";
import { join } from "node:path";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message } from "../support/store.ts";

const DAY = 24 * 60 * 60 * 1000;
const trial = storeTrial();

test("a message is known for eight days, however short the retention, and then no longer", async () => {
  const { clock, store } = trial;
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
    mediaFolder: join(trial.folder, "media"),
    retentionDays: 1,
    filesWent: () => {},
    clock,
    log: silentLog,
  });
  /** Long enough for a round of retention, whose commits come in `setImmediate`. */
  const pass = async (ms: number) => {
    // A clock that jumps is not believed.
    for (let left = ms; left > 0; left -= 30 * 60_000) {
      await clock.advance(Math.min(left, 30 * 60_000));
      await settle();
    }
    for (let round = 0; round < 3; round++) {
      await settle();
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
});
