import { afterEach, beforeEach, expect, mock, spyOn, test } from "bun:test";
import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { settle } from "../support/settle.ts";
import { storeTrial } from "../support/store-trial.ts";

// Files past their retention where removing them is cut off, or fails: none is left behind for good.

const trial = storeTrial();
let said: [words: string, fields: object][];
beforeEach(() => {
  said = [];
});
afterEach(() => void mock.restore());

/** Retention as of a daemon that was just started. */
function keeping() {
  return keepWithinRetention({
    store: trial.store,
    running: [],
    mediaFolder: join(trial.folder, "media"),
    retentionDays: 1,
    filesWent: () => {},
    clock: trial.clock,
    log: { ...silentLog, warn: (fields, words) => void said.push([words ?? "", fields]) },
  });
}

/** Rounds go on until it is so; the file system takes its own time, and the test's time-out ends the wait. */
async function until(done: () => boolean) {
  while (!done()) {
    await trial.clock.advance(60_000);
    await settle();
  }
}

/** A file of a message that is long gone. */
async function fileOf(message: number, path = join("media", `${message}`, "1-image.png")) {
  const file = join(trial.folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, "png");
  await trial.store.addAttachments(message, [{ path: file, bytes: 3 }]);
  return file;
}

test("a kill before they are removed leaves them to the next start", async () => {
  const files = [await fileOf(1), await fileOf(2)];
  const { store } = trial;
  const retain = store.retain.bind(store);
  const step = spyOn(store, "retain").mockImplementation(async (limits) => {
    await retain(limits);
    return new Promise(() => {});
  });
  const stop = keeping();
  await until(() => step.mock.calls.length > 0);
  await settle();
  stop();
  trial.reopen();
  const again = keeping();
  await until(() => !files.some((file) => existsSync(file)) && trial.store.attachmentBytes() === 0);
  again();
});

test("a stop in the midst of a step leaves nothing either", async () => {
  const files = [await fileOf(1), await fileOf(2)];
  const { store } = trial;
  const retain = store.retain.bind(store);
  let stop = () => {};
  spyOn(store, "retain").mockImplementation(async (limits) => {
    const step = await retain(limits);
    stop();
    trial.reopen();
    return step;
  });
  stop = keeping();
  await until(() => !files.some((file) => existsSync(file)));
  await settle();
  expect(trial.store.attachmentBytes()).toBe(6);
  const again = keeping();
  await until(() => trial.store.attachmentBytes() === 0);
  again();
  expect(said).toEqual([]);
});

test("a kill after they are removed is no failure at the next start", async () => {
  await fileOf(1);
  const forget = spyOn(trial.store, "forgetFiles").mockRejectedValueOnce(new Error("killed"));
  const stop = keeping();
  await until(() => forget.mock.calls.length > 0);
  expect(trial.store.attachmentBytes()).toBe(3);
  stop();
  said = [];
  const again = keeping();
  await until(() => trial.store.attachmentBytes() === 0);
  again();
  expect(said).toEqual([]);
});

test("one that cannot be removed costs no other its turn, is told of once a round, and goes as soon as it can", async () => {
  // No file can be removed where a folder lies.
  const stuck = join(trial.folder, "folder.png");
  mkdirSync(stuck);
  await trial.store.addAttachments(1, [{ path: stuck, bytes: 1 }]);
  const file = await fileOf(2);
  const stop = keeping();
  await until(() => !existsSync(file) && said.length === 2);
  expect(trial.store.attachmentBytes()).toBe(1);
  expect(said[0]).toEqual([
    "past retention_days, but cannot be removed; tried again",
    { files: 1, folder: trial.folder, reason: "the system says ERR_FS_EISDIR" },
  ]);
  rmdirSync(stuck);
  await until(() => trial.store.attachmentBytes() === 0);
  stop();
});

test("a step full of such ends the round, and the next one comes to what lies behind them", async () => {
  for (let i = 0; i < 200; i++) {
    const stuck = join(trial.folder, `folder-${i}`);
    mkdirSync(stuck);
    await trial.store.addAttachments(1, [{ path: stuck, bytes: 1 }]);
  }
  const file = await fileOf(2);
  const steps = spyOn(trial.store, "retain");
  const stop = keeping();
  await until(() => said.length === 1);
  expect(steps).toHaveBeenCalledTimes(1);
  await until(() => !existsSync(file));
  stop();
  await settle();
});
