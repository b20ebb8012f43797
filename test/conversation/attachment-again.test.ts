import { expect, mock, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MediaStream } from "../../src/channels/channel.ts";
import type { MediaReference } from "../../src/channels/message.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { DownloadFailure } from "../../src/net/download.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message } from "../support/store.ts";

// A file that does not come at once: whether it is asked for again.

const trial = storeTrial();
const photo: MediaReference = {
  kind: "image",
  mimeType: "image/png",
  filename: null,
  size: null,
  durationSecs: null,
  source: {},
};
const comes = async (): Promise<MediaStream> => ({
  body: new Response(new Uint8Array(png)).body!,
  mimeType: "image/png",
});

/**
 * One message with one file, which comes as told, one answer after the other. `patience` is how long that may take;
 * `pausing` is called as the pause begins.
 */
async function fetched(
  answers: (() => Promise<MediaStream>)[],
  patience = new AbortController().signal,
  pausing = () => {},
) {
  const waits: number[] = [];
  const prepare = messagePreparer({
    store: trial.store,
    mediaFolder: join(trial.folder, "media"),
    maxMediaBytes: 1_000_000,
    alarms: new Alarms(trial.clock, silentLog),
    transcriber: null,
    // Time passes as soon as somebody waits for it.
    clock: {
      now: () => 0,
      after(ms, callback) {
        waits.push(ms);
        pausing();
        queueMicrotask(callback);
        return () => {};
      },
    },
    log: silentLog,
  });
  const openMedia = mock(() => answers.shift()!());
  const entry = { id: 1, receivedAt: 0, message: message({ text: "", attachments: [photo] }) };
  const channel = fakeChannel({ openMedia });
  const { attachments } = await prepare(channel, entry, new AbortController().signal, patience);
  return { file: attachments[0], asked: openMedia.mock.calls.length, waits };
}

const fails = (...failure: ConstructorParameters<typeof DownloadFailure>) => {
  return () => Promise.reject(new DownloadFailure(...failure));
};
/** Opens, and breaks off after so many bytes. */
const breaksOff = (bytes: number) => async (): Promise<MediaStream> => ({
  body: new ReadableStream({
    start: (controller) => controller.enqueue(Uint8Array.from({ ...png, length: bytes })),
    pull: (controller) => controller.error(new DownloadFailure("truncated", "cut short")),
  }),
  mimeType: "image/png",
});

test.each<[string, () => Promise<MediaStream>]>([
  ["the server has trouble of its own", fails("status", "503", 503)],
  ["there is no connection", fails("network", "ECONNRESET")],
  ["it breaks off at its beginning", breaksOff(100)],
  ["it breaks off on its way", breaksOff(10_000)],
])("where %s, it is asked for once more after a second", async (_, failing) => {
  const { file, asked, waits } = await fetched([failing, comes]);
  expect(readFileSync(file?.path ?? "")).toEqual(png);
  expect(statSync(dirname(file?.path ?? "")).mode & 0o777).toBe(0o700);
  expect({ asked, waits }).toEqual({ asked: 2, waits: [1_000] });
});

test("what does not come the second time either says why", async () => {
  const { file, asked } = await fetched([
    fails("status", "503", 503),
    fails("status", "the server answered 502", 502),
  ]);
  expect(file).toMatchObject({ path: null, error: "the server answered 502" });
  expect(asked).toBe(2);
});

test("where patience ends meanwhile, what it failed of is told", async () => {
  const patience = new AbortController();
  const { file, asked } = await fetched([fails("network", "ECONNRESET")], patience.signal, () =>
    queueMicrotask(() => patience.abort(new Error("too late"))),
  );
  expect(file).toMatchObject({ path: null, error: "ECONNRESET" });
  expect(asked).toBe(1);
});

test.each<[string, () => Promise<MediaStream>]>([
  ["is not there", fails("status", "404", 404)],
  ["is too large", fails("too_large", "it is larger than 1")],
  ["took its time already", fails("timeout", "too slow")],
  ["the channel has no address of", () => Promise.reject(new Error("no id"))],
])("what %s is not asked for again", async (_, failing) => {
  const { file, asked } = await fetched([failing]);
  expect(file).toMatchObject({ path: null });
  expect(asked).toBe(1);
});
