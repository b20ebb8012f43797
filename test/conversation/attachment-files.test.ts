import { expect, mock, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { MediaKind, MediaReference } from "../../src/channels/message.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { opusFile } from "../speech/opus.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message } from "../support/store.ts";

// How many files a message may have, how large, of which type, and when none is fetched.

const trial = storeTrial();
const signal = new AbortController().signal;

const stream = (bytes: Uint8Array) => new Response(new Uint8Array(bytes)).body!;
const media = (kind: MediaKind, changes: Partial<MediaReference> = {}): MediaReference => ({
  kind,
  mimeType: null,
  filename: null,
  size: null,
  durationSecs: null,
  source: {},
  ...changes,
});

let entries = 0;
const prepare = (attachments: MediaReference[]) => {
  const preparer = messagePreparer({
    store: trial.store,
    mediaFolder: join(trial.folder, "media"),
    maxMediaBytes: 1_000_000_000,
    alarms: new Alarms(trial.clock, silentLog),
    transcriber: null,
    clock: trial.clock,
    log: silentLog,
  });
  const entry = { id: ++entries, receivedAt: 0, message: message({ text: "", attachments }) };
  return (channel = fakeChannel(), ends = signal, patience = ends) =>
    preparer(channel, entry, ends, patience);
};

/** The one file of a message; each time of another one. */
async function fetched(
  reference: MediaReference,
  bytes: Uint8Array,
  mimeType: string | null = null,
) {
  const openMedia = async () => ({ body: stream(bytes), mimeType });
  const { attachments } = await prepare([reference])(fakeChannel({ openMedia }));
  return attachments[0];
}

test.each(["scan.txt", null])(
  "several files of one message lie beside each other, and stay there, though all are named %p",
  async (filename) => {
    const pages = ["first page", "second page"].map((text) => Buffer.from(text));
    const left = [...pages];
    const openMedia = async () => ({ body: stream(left.shift()!), mimeType: "text/plain" });
    const page = media("document", { filename });
    const preparing = prepare([page, page]);
    const { attachments } = await preparing(fakeChannel({ openMedia }));
    expect(attachments.map(({ path }) => readFileSync(path ?? ""))).toEqual(pages);
    expect((await preparing()).attachments).toEqual(attachments);
  },
);

test("one that breaks off says why, and leaves what came before it", async () => {
  const brokenOff = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(10_000)),
    pull: (controller) => controller.error(new Error("broken off")),
  });
  const left = [stream(Buffer.from("first page")), brokenOff];
  const openMedia = async () => ({ body: left.shift()!, mimeType: null });
  const page = media("document");
  const { attachments } = await prepare([page, page])(fakeChannel({ openMedia }));
  expect(readFileSync(attachments[0]?.path ?? "", "utf8")).toBe("first page");
  expect(attachments[1]).toMatchObject({ path: null, error: "broken off" });
});

const mp4 = Buffer.from("\0\0\0\u0018ftypmp42\0\0\0\0isommp42", "latin1");
const marked: Record<MediaKind, Buffer> = {
  image: png,
  sticker: png,
  audio: Buffer.from(opusFile(1)),
  video: mp4,
  document: Buffer.from("%PDF-1.7"),
};
test.each(Object.keys(marked) as MediaKind[])(
  "of kind %s is fetched, and has no name where its sender gave it none",
  async (kind) => {
    const bytes = marked[kind];
    expect(await fetched(media(kind), bytes)).toMatchObject({ size: bytes.length, filename: null });
  },
);

test.each<[MediaKind, number]>([
  ["sticker", 5],
  ["image", 25],
  ["audio", 25],
  ["video", 100],
  ["document", 100],
])("of kind %s may have %d MiB, and not a byte more", async (kind, mebibytes) => {
  const bytes = Buffer.alloc(mebibytes * 1024 * 1024 + 1);
  marked[kind].copy(bytes);
  const tooLarge = await fetched(media(kind), bytes);
  expect(tooLarge).toMatchObject({ path: null, size: null });
  expect(tooLarge?.error).toContain("larger than");
  const largest = bytes.subarray(0, -1);
  expect(await fetched(media(kind), largest)).toMatchObject({ size: largest.length });
});

test("a text is of the type that its server says, else of the one that its message says", async () => {
  const table = Buffer.from("name;price\n");
  const sent = media("document", { mimeType: "text/csv" });
  expect((await fetched(sent, table, "text/markdown"))?.mime_type).toBe("text/markdown");
  expect((await fetched(sent, table))?.mime_type).toBe("text/csv");
});

test("nothing is asked for once it has taken too long", async () => {
  const openMedia = mock(async () => ({ body: stream(png), mimeType: null }));
  const late = AbortSignal.abort(new Error("it took too long"));
  const prepared = await prepare([media("image")])(fakeChannel({ openMedia }), signal, late);
  expect(prepared.attachments).toMatchObject([{ path: null, error: "it took too long" }]);
  expect(openMedia).not.toHaveBeenCalled();
});

test("a stop while it comes ends the turn, which begins anew another time", async () => {
  const stop = new AbortController();
  const openMedia = async () => {
    stop.abort(new Error("the daemon is stopping"));
    throw new Error("broken off");
  };
  const preparing = prepare([media("image")])(fakeChannel({ openMedia }), stop.signal);
  await expect(preparing).rejects.toThrow("the daemon is stopping");
});
