import { beforeEach, expect, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  renameSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { MediaKind, MediaReference } from "../../src/channels/message.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { opusFile } from "../speech/opus.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message } from "../support/store.ts";

// Which file a turn that a restart repeats takes for the one that it had fetched: agents lay files of their own there.

const trial = storeTrial();
const opus = Buffer.from(opusFile(1));
const gif = Buffer.from("GIF89a, by the agent");
const page = Buffer.from("%PDF-1.7");
const media = (kind: MediaKind, filename: string | null = null): MediaReference => ({
  kind,
  mimeType: null,
  filename,
  size: null,
  durationSecs: null,
  source: {},
});

let opened: number;
beforeEach(() => {
  opened = 0;
});

/** The file of a turn's one message, which the platform has as `bytes`. */
async function prepared(reference: MediaReference, bytes: Buffer) {
  const openMedia = async () => {
    opened++;
    return { body: new Response(new Uint8Array(bytes)).body!, mimeType: null };
  };
  const prepare = messagePreparer({
    store: trial.store,
    mediaFolder: join(trial.folder, "media"),
    maxMediaBytes: 1_000_000,
    alarms: new Alarms(trial.clock, silentLog),
    transcriber: null,
    clock: trial.clock,
    log: silentLog,
  });
  const sent = message({ id: "wamid.1", text: "", attachments: [reference] });
  const entry = { id: 1, receivedAt: 0, message: sent };
  const { attachments } = await prepare(
    fakeChannel({ openMedia }),
    entry,
    new AbortController().signal,
  );
  return attachments[0]!;
}

const beside = (path: string, name: string, bytes: Buffer | string) =>
  writeFileSync(join(dirname(path), name), bytes);

test.each<[MediaKind, Buffer, string, Buffer | string]>([
  ["image", png, "1-image.txt", "a picture of a cat"],
  ["image", png, "1-image.json", '{"label":"cat"}'],
  ["image", png, "1-image.png.part.txt", "a picture of a cat"],
  ["image", png, "1-image.gif", gif],
  ["image", png, "1-image.a.gif", gif],
  ["audio", opus, "1-audio.srt", "1\n00:00:00,000 --> 00:00:01,000\nhello\n"],
  ["audio", opus, "1-audio.aac", Buffer.from("ID3\u0004, and sound of the agent's")],
  ["document", page, "1-document.json", '{"pages":1}'],
  ["document", page, "1-document", "what it says"],
])("of kind %s it is that one, and not %#", async (kind, bytes, name, sidecar) => {
  const first = await prepared(media(kind), bytes);
  beside(first.path ?? "", name, sidecar);
  expect(await prepared(media(kind), bytes)).toEqual(first);
  expect(opened).toBe(1);
});

test("it is that one, though the agent wrote over it since", async () => {
  const first = await prepared(media("image"), png);
  beside(first.path ?? "", "1-image.gif", gif);
  writeFileSync(first.path ?? "", png);
  expect(await prepared(media("image"), png)).toEqual(first);
});

test("it is that one, though it was put back from a copy after what lay beside it", async () => {
  const first = await prepared(media("image"), png);
  const path = first.path ?? "";
  beside(path, "1-image.gif", gif);
  const copy = join(trial.folder, "copy");
  copyFileSync(path, copy);
  rmSync(path);
  copyFileSync(copy, path);
  utimesSync(path, 1_000, 1_000);
  expect(await prepared(media("image"), png)).toEqual(first);
});

test.each<[string, (path: string) => void]>([
  ["is gone", () => {}],
  ["is a pipe, which never answers", (path) => void execFileSync("mkfifo", [path])],
  [
    "is a link to another's",
    (path) => {
      const elsewhere = join(trial.folder, "another.png");
      writeFileSync(elsewhere, gif);
      symlinkSync(elsewhere, path);
    },
  ],
  ["is something else now", (path) => writeFileSync(path, "<html>")],
])("where it %s, it is fetched anew", async (_, put) => {
  for (const filename of [null, "photo.png"]) {
    rmSync(join(trial.folder, "media"), { recursive: true, force: true });
    opened = 0;
    const first = await prepared(media("image", filename), png);
    const path = first.path ?? "";
    beside(path, "1-image.txt", "a picture of a cat");
    rmSync(path);
    put(path);
    expect(await prepared(media("image", filename), png)).toEqual(first);
    expect(readFileSync(path)).toEqual(png);
    expect(opened).toBe(2);
  }
});

test("what an agent laid in its place is not taken for it", async () => {
  const first = await prepared(media("image"), png);
  const path = first.path ?? "";
  renameSync(path, join(dirname(path), "original.png"));
  beside(path, "1-image.gif", gif);
  expect(await prepared(media("image"), png)).toEqual(first);
  expect(opened).toBe(2);
});
