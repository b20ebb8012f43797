import { describe, expect, spyOn, test } from "bun:test";
import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import type { MediaReference } from "../../src/channels/message.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import type { Transcriber } from "../../src/speech/transcription.ts";
import { StoreError } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { fakeClock } from "../support/clock.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message, storeAt } from "../support/store.ts";

// What comes with a message, until an agent can read it.

const trial = storeTrial();

/** The head of an Ogg page that holds the head of an Opus stream. */
const opus = Buffer.concat([
  Buffer.from("OggS"),
  Buffer.alloc(24),
  Buffer.from("OpusHead"),
  Buffer.alloc(32),
]);
const signal = new AbortController().signal;

const stream = (bytes: Uint8Array) => new Response(new Uint8Array(bytes)).body!;
const photo: MediaReference = {
  kind: "image",
  mimeType: "image/jpeg",
  filename: "../../etc/passwd",
  size: 1,
  durationSecs: null,
  source: {},
};
const voice: MediaReference = { ...photo, kind: "audio", mimeType: "audio/ogg", filename: null };

describe("an attachment", () => {
  const prepare = (changes: Partial<Parameters<typeof messagePreparer>[0]> = {}) =>
    messagePreparer({
      store: trial.store,
      mediaFolder: join(trial.folder, "media"),
      maxMediaBytes: 1_000_000,
      alarms: new Alarms(trial.clock, silentLog),
      transcriber: null,
      clock: trial.clock,
      log: silentLog,
      ...changes,
    });
  const entry = (media: MediaReference, type = "image") => ({
    id: 7,
    receivedAt: 0,
    message: message({ id: "wamid.7", type, text: "", attachments: [media] }),
  });
  /** Where its files lie. */
  const ownFolder = () => {
    const [name = ""] = readdirSync(join(trial.folder, "media"));
    expect(name).toMatch(/^7-[0-9a-f]{16}$/);
    return join(trial.folder, "media", name);
  };

  test("lies under the home with its true type, a safe name and the owner's mode", async () => {
    const channel = fakeChannel({
      openMedia: async () => ({ body: stream(png), mimeType: "image/jpeg" }),
    });
    const { attachments } = await prepare()(channel, entry(photo), signal);
    const [file] = attachments;
    expect(file).toMatchObject({ kind: "image", mime_type: "image/png", size: png.length });
    // Agents put it into paths of their own.
    expect(file?.filename).toBe("passwd");
    expect(file?.path).toBe(join(ownFolder(), "1-passwd"));
    expect(statSync(file?.path ?? "").mode & 0o777).toBe(0o600);
    expect(statSync(ownFolder()).mode & 0o777).toBe(0o700);
    expect(readFileSync(file?.path ?? "")).toEqual(png);
  });

  test("that its sender did not name is named after what it is", async () => {
    const channel = fakeChannel({
      openMedia: async () => ({ body: stream(png), mimeType: "image/jpeg" }),
    });
    const unnamed = { ...photo, filename: null };
    const { attachments } = await prepare()(channel, entry(unnamed), signal);
    expect(attachments).toMatchObject([
      { filename: null, path: join(ownFolder(), "1-image.png"), size: png.length },
    ]);
  });

  test.each([photo.filename, null])(
    "is not fetched again when a turn is repeated: %p",
    async (filename) => {
      let opened = 0;
      const channel = fakeChannel({
        openMedia: async () => {
          opened++;
          return { body: stream(png), mimeType: "image/png" };
        },
      });
      const sent = entry({ ...photo, filename });
      const first = await prepare()(channel, sent, signal);
      const again = await prepare()(channel, sent, signal);
      expect(opened).toBe(1);
      expect(again.attachments).toEqual(first.attachments);
    },
  );

  test("that a kill cut off under the name of its kind is not taken for whole", async () => {
    const channel = fakeChannel({
      openMedia: async () => ({ body: stream(png), mimeType: "image/png" }),
    });
    const unnamed = entry({ ...photo, filename: null });
    await prepare()(channel, unnamed, signal);
    const own = ownFolder();
    renameSync(join(own, "1-image.png"), join(own, "1-image.png.0123456789ab.part"));
    const { attachments } = await prepare()(channel, unnamed, signal);
    expect(attachments[0]?.path).toBe(join(own, "1-image.png"));
    expect(readdirSync(own)).toEqual(["1-image.png"]);
  });

  test("is never another message's that had the same number in an earlier store", async () => {
    const before = fakeChannel({
      openMedia: async () => ({ body: stream(png), mimeType: "image/png" }),
    });
    await prepare()(before, entry(photo), signal);
    const gif = Buffer.from("GIF89a, of another person");
    const now = fakeChannel({ openMedia: async () => ({ body: stream(gif), mimeType: null }) });
    const anew = { ...entry(photo), message: message({ id: "wamid.2", attachments: [photo] }) };
    const { attachments } = await prepare()(now, anew, signal);
    expect(readFileSync(attachments[0]?.path ?? "")).toEqual(gif);
  });

  test.each([{ name: "wati" as const }, { account: "another" }])(
    "is never the one of another account, whose messages may have the same ids: %o",
    async (other) => {
      const gif = Buffer.from("GIF89a, of another person");
      const fetched = async (bytes: Buffer, changes: object) => {
        const openMedia = async () => ({ body: stream(bytes), mimeType: null });
        const channel = fakeChannel({ openMedia, ...changes });
        const { attachments } = await prepare()(channel, entry(photo), signal);
        return readFileSync(attachments[0]?.path ?? "");
      };
      expect(await fetched(png, {})).toEqual(png);
      expect(await fetched(gif, other)).toEqual(gif);
    },
  );

  test("that a kill left on disk before it was noted is noted when the turn is repeated, once", async () => {
    const openMedia = async () => ({ body: stream(png), mimeType: "image/png" });
    const channel = fakeChannel({ openMedia });
    const other = storeAt(join(trial.folder, "other.db"), fakeClock());
    await prepare({ store: other })(channel, entry(photo), signal);
    other.close();
    expect(existsSync(join(ownFolder(), "1-passwd"))).toBe(true);
    await prepare()(channel, entry(photo), signal);
    await prepare()(channel, entry(photo), signal);
    expect(trial.store.attachmentBytes()).toBe(png.length);
  });

  test.each([
    ["cannot be fetched", {}, async () => Promise.reject(new Error("404"))],
    [
      "is not what it says",
      {},
      async () => ({ body: stream(Buffer.from("<html>")), mimeType: "image/png" }),
    ],
    [
      "finds no space",
      { maxMediaBytes: -1 },
      async () => ({ body: stream(png), mimeType: "image/png" }),
    ],
  ])("that %s leaves its message a reason", async (_, options, openMedia) => {
    const prepared = await prepare(options)(fakeChannel({ openMedia }), entry(photo), signal);
    expect(prepared.attachments).toEqual([
      {
        kind: "image",
        mime_type: "image/jpeg",
        filename: "passwd",
        size: null,
        path: null,
        error: expect.any(String),
      },
    ]);
  });

  test("leaves nothing behind where it fails, nor where a daemon was killed while it came", async () => {
    const comes = async () => ({ body: stream(png), mimeType: "image/png" });
    await prepare()(fakeChannel({ openMedia: comes }), entry(photo), signal);
    const own = ownFolder();
    rmSync(join(own, "1-passwd"));
    writeFileSync(join(own, "1-passwd.0123456789ab.part"), "half of it");
    const fails = fakeChannel({ openMedia: async () => Promise.reject(new Error("404")) });
    await prepare()(fails, entry(photo), signal);
    expect(existsSync(own)).toBe(false);
  });

  test("that the disk does not take says why without the name that its sender gave it", async () => {
    const said: unknown[] = [];
    const log = { ...silentLog, warn: (...line: unknown[]) => said.push(line) };
    const openMedia = async () => {
      rmSync(ownFolder(), { recursive: true });
      return { body: stream(png), mimeType: "image/png" };
    };
    const prepared = await prepare({ log })(fakeChannel({ openMedia }), entry(photo), signal);
    expect(prepared.attachments).toMatchObject([{ path: null, error: "the system says ENOENT" }]);
    expect(said).toEqual([
      [
        { id: "wamid.7", kind: "image", reason: "the system says ENOENT" },
        "an attachment was not fetched",
      ],
    ]);
  });

  test("that the store cannot note leaves nothing behind, since nothing would take it away", async () => {
    const openMedia = async () => ({ body: stream(png), mimeType: "image/png" });
    const full = new StoreError("full", "the disk is full");
    const noting = spyOn(trial.store, "addAttachments").mockRejectedValueOnce(full);
    const prepared = await prepare()(fakeChannel({ openMedia }), entry(photo), signal);
    noting.mockRestore();
    expect(prepared.attachments).toMatchObject([{ path: null, error: "the disk is full" }]);
    expect(readdirSync(join(trial.folder, "media"))).toEqual([]);
  });

  const transcriber = (transcribe: Transcriber["transcribe"]): Transcriber => ({
    provider: "openai",
    ready: { ok: true },
    accepts: ({ voice: isVoice }) => (isVoice ? null : "not_a_voice_note"),
    transcribe,
  });
  const spoken = fakeChannel({
    openMedia: async () => ({ body: stream(opus), mimeType: "audio/ogg" }),
  });
  test.each([
    ["voice", "heard", transcriber(async () => "good morning"), "[Voice] good morning"],
    ["voice", "silence", transcriber(async () => ""), ""],
    ["voice", "not understood", transcriber(async () => Promise.reject(new Error("500"))), ""],
    ["voice", "nobody listens", null, ""],
    ["audio", "only voice notes are heard", transcriber(async () => "music"), ""],
  ])("%s, %s", async (type, _, listening, text) => {
    const prepared = await prepare({ transcriber: listening })(spoken, entry(voice, type), signal);
    expect(prepared.text).toBe(text);
  });

  test("that cannot be read is told of without its name, which a person gave it", async () => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (fields: object) => said.push(JSON.stringify(fields)) };
    const unreadable = transcriber(() => open(join(trial.folder, "Ada's scan.ogg")) as never);
    await prepare({ transcriber: unreadable, log })(spoken, entry(voice, "voice"), signal);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("ENOENT");
    expect(said[0]).not.toContain("scan");
  });
});
