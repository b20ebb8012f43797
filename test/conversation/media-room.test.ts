import { beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { MediaReference } from "../../src/channels/message.ts";
import { keepWithinRetention } from "../../src/conversation/keep.ts";
import { hasMediaRoom } from "../../src/conversation/media-room.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { settle } from "../support/settle.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message } from "../support/store.ts";

// What a person is told when attachments fill their space, and for how long.

const trial = storeTrial();
const photo: MediaReference = {
  kind: "image",
  mimeType: "image/png",
  filename: null,
  size: null,
  durationSecs: null,
  source: {},
};
const openMedia = async () => ({
  body: new Response(new Uint8Array(png)).body!,
  mimeType: "image/png",
});
let alarms: Alarms;
beforeEach(() => {
  alarms = new Alarms(trial.clock, silentLog);
});

/** A message with a picture, whose turn ends. Answers why it came without, or null. */
async function sendsPicture(maxMediaBytes = png.length - 1): Promise<string | null> {
  const { store, clock, folder } = trial;
  const sent = message({ text: "", attachments: [photo] });
  const { admitted } = await store.accept(cloud, [{ kind: "message", message: sent }], everybody);
  const chat = admitted[0]?.chat ?? 0;
  const [entry] = store.pendingMessages(chat, 1);
  if (!entry) throw new Error("nothing waits");
  const prepare = messagePreparer({
    store,
    mediaFolder: join(folder, "media"),
    maxMediaBytes,
    alarms,
    transcriber: null,
    clock,
    log: silentLog,
  });
  const { attachments } = await prepare(
    fakeChannel({ openMedia }),
    entry,
    new AbortController().signal,
  );
  await store.finishTurn({
    chat,
    turnId: `turn_${entry.id}`,
    messages: [entry.id],
    history: [],
    keepHistory: 1,
    deliveries: [],
  });
  return attachments[0]?.error ?? null;
}

const raised = () => alarms.list().map(({ source, code, hint }) => `${source}: ${code}: ${hint}`);

test("a file that finds no room raises an alarm that says what to do", async () => {
  expect(await sendsPicture()).toBeNull();
  expect(raised()).toEqual([]);
  expect(await sendsPicture()).toContain("max_media_bytes");
  expect(raised()).toEqual([
    "store.media: full: The space for attachments is used up, and new ones are not fetched: raise `[store] max_media_bytes`, or lower `retention_days`.",
  ]);
});

test("the alarm ends with a file that finds room again", async () => {
  await sendsPicture();
  await sendsPicture();
  expect(await sendsPicture(1_000_000)).toBeNull();
  expect(raised()).toEqual([]);
});

test("the alarm ends when retention makes room, though nobody sends a file", async () => {
  const { store, clock, folder } = trial;
  await sendsPicture();
  await sendsPicture();
  expect(raised()).toHaveLength(1);
  const stop = keepWithinRetention({
    store,
    running: [cloud],
    mediaFolder: join(folder, "media"),
    retentionDays: 1,
    filesWent: () => void hasMediaRoom({ store, maxMediaBytes: png.length - 1, alarms }),
    clock,
    log: silentLog,
  });
  // The file system takes its own time; the test's time-out ends the wait.
  for (let minutes = 0; raised().length > 0; minutes++) {
    await clock.advance(60_000);
    await settle();
    if (minutes < 24 * 60) expect(raised()).toHaveLength(1);
  }
  expect(store.attachmentBytes()).toBe(0);
  stop();
});

test("the alarm does not come and go with each file of a store that lives at its limit", () => {
  const told: [number, boolean, number][] = [];
  for (const bytes of [1_000, 1_001, 990, 1_001, 951, 950, 1_001]) {
    const store = { ...trial.store, attachmentBytes: () => bytes };
    const room = hasMediaRoom({ store, maxMediaBytes: 1_000, alarms });
    told.push([bytes, room, raised().length]);
  }
  expect(told).toEqual([
    [1_000, true, 0],
    [1_001, false, 1],
    [990, true, 1],
    [1_001, false, 1],
    [951, true, 1],
    [950, true, 0],
    [1_001, false, 1],
  ]);
});
