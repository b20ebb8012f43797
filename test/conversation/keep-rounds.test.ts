import { afterEach, expect, mock, spyOn, test } from "bun:test";
import { join } from "node:path";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import type { Retained } from "../../src/store/contract.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { storeTrial } from "../support/store-trial.ts";

// When retention looks at the store, how often, and what it says.

const trial = storeTrial();
const DAY = 24 * 60 * 60 * 1000;

afterEach(() => void mock.restore());

/** Retention over a store whose steps answer so, and nothing is past from then on. */
function keeping(steps: (Partial<Retained> | Error)[], retentionDays = 10) {
  const { clock, store } = trial;
  const said: [words: string, fields: object][] = [];
  const began = clock.now();
  const times: number[] = [];
  const retain = spyOn(store, "retain").mockImplementation(async () => {
    times.push(clock.now() - began);
    const step = steps.shift() ?? {};
    if (step instanceof Error) throw step;
    return { files: [], more: false, expired: { messages: 0, deliveries: 0 }, ...step };
  });
  const stop = keepWithinRetention({
    store,
    running: [],
    mediaFolder: join(trial.folder, "media"),
    retentionDays,
    filesWent: () => {},
    clock,
    log: { ...silentLog, warn: (fields, words) => void said.push([words ?? "", fields]) },
  });
  const pass = async (ms: number) => {
    await settle();
    await clock.advance(ms);
    await settle();
  };
  return { stop, pass, said, times, asked: () => retain.mock.lastCall?.[0] };
}

test("it looks once a minute, and goes on in small steps while there is more", async () => {
  const { stop, pass, times } = keeping([{}, { more: true }, { more: true }]);
  for (const ms of [60_000, 60_000, 20, 20, 59_999, 1, 59_999]) await pass(ms);
  expect(times).toEqual([60_000, 120_000, 120_020, 120_040, 180_040]);
  stop();
});

test("what still waited when its time was over is told of, and what did not is not", async () => {
  const one = { messages: 1, deliveries: 0 };
  const { stop, pass, said } = keeping([
    { expired: one },
    {},
    { expired: { messages: 0, deliveries: 2 } },
  ]);
  for (let minute = 0; minute < 4; minute++) await pass(60_000);
  expect(said.map(([, fields]) => fields)).toEqual([one, { messages: 0, deliveries: 2 }]);
  stop();
});

test("a store that fails is told of, and looked at again a minute later", async () => {
  const { stop, pass, said, times } = keeping([new Error("no such place: /home/ada")]);
  await pass(60_000);
  expect(said.map(([words]) => words)).toEqual(["retention could not be kept this time"]);
  expect(times).toEqual([60_000]);
  await pass(60_000);
  expect(times).toEqual([60_000, 120_000]);
  stop();
});

test("a stop ends it at once, in the middle of a round too, and is no failure", async () => {
  for (const minutes of [0, 1]) {
    const { stop, pass, said, times } = keeping([{ more: true }, { more: true }]);
    await pass(minutes * 60_000);
    stop();
    await pass(120_000);
    expect(times).toHaveLength(minutes);
    expect(said).toEqual([]);
    expect(trial.clock.pending).toBe(0);
  }
});

test.each([
  [1, 8],
  [10, 10],
])("of %d days, a message is known for %d", async (retentionDays, keyDays) => {
  const { stop, pass, asked } = keeping([], retentionDays);
  await pass(60_000);
  const { contentBefore = 0, keysBefore = 0 } = asked() ?? {};
  expect((contentBefore - keysBefore) / DAY).toBe(keyDays - retentionDays);
  stop();
});

test("a file that is gone already is no failure", async () => {
  const paths = [join(trial.folder, "media", "7", "gone.png"), join(trial.folder, "gone.png")];
  const files = paths.map((path, id) => ({ id, messageId: 7, path, bytes: 1 }));
  const { stop, pass, said, times } = keeping([{ files }]);
  // The file system takes its own time, and the next round comes when it is done.
  while (times.length < 2) await pass(60_000);
  expect(said).toEqual([]);
  stop();
});
