import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { AgentError, type AgentPart, type TurnRequest } from "../../src/agent/agent.ts";
import type { MediaReference } from "../../src/channels/message.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { messagePreparer } from "../../src/conversation/prepare.ts";
import type { Transcriber } from "../../src/speech/transcription.ts";
import { StoreError, type ConversationStore } from "../../src/store/contract.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { fakeClock } from "../support/clock.ts";
import { opusFile } from "../speech/opus.ts";
import { message, storeAt, temporaryFolder } from "../support/store.ts";

/** The smallest PNG there is. */
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
/** The head of an Ogg page that holds the head of an Opus stream. */
const opus = Buffer.concat([
  Buffer.from("OggS"),
  Buffer.alloc(24),
  Buffer.from("OpusHead"),
  Buffer.alloc(32),
]);
const signal = new AbortController().signal;

let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
beforeEach(() => {
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), fakeClock());
});
afterEach(() => {
  store.close();
  folder.remove();
});

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
      store,
      mediaFolder: join(folder.path, "media"),
      maxMediaBytes: 1_000_000,
      transcriber: null,
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
    const [name = ""] = readdirSync(join(folder.path, "media"));
    expect(name).toMatch(/^7-[0-9a-f]{16}$/);
    return join(folder.path, "media", name);
  };

  test("lies under the home with its true type, a safe name and the owner's mode", async () => {
    const channel = fakeChannel({
      openMedia: async () => ({ body: stream(png), mimeType: "image/jpeg" }),
    });
    const { attachments } = await prepare()(channel, entry(photo), signal);
    const [file] = attachments;
    expect(file).toMatchObject({ kind: "image", mime_type: "image/png", size: png.length });
    expect(file?.path).toBe(join(ownFolder(), "1-passwd"));
    expect(statSync(file?.path ?? "").mode & 0o777).toBe(0o600);
    expect(statSync(ownFolder()).mode & 0o777).toBe(0o700);
    expect(readFileSync(file?.path ?? "")).toEqual(png);
  });

  test("is not fetched again when a turn is repeated", async () => {
    let opened = 0;
    const channel = fakeChannel({
      openMedia: async () => {
        opened++;
        return { body: stream(png), mimeType: "image/png" };
      },
    });
    const first = await prepare()(channel, entry(photo), signal);
    const again = await prepare()(channel, entry(photo), signal);
    expect(opened).toBe(1);
    expect(again.attachments).toEqual(first.attachments);
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

  test("that a kill left on disk before it was noted is noted when the turn is repeated, once", async () => {
    const openMedia = async () => ({ body: stream(png), mimeType: "image/png" });
    const channel = fakeChannel({ openMedia });
    const other = storeAt(join(folder.path, "other.db"), fakeClock());
    await prepare({ store: other })(channel, entry(photo), signal);
    other.close();
    expect(existsSync(join(ownFolder(), "1-passwd"))).toBe(true);
    await prepare()(channel, entry(photo), signal);
    await prepare()(channel, entry(photo), signal);
    expect(store.attachmentBytes()).toBe(png.length);
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
    expect(prepared.attachments).toMatchObject([{ path: null, size: null }]);
    expect(prepared.attachments[0]?.error).toBeString();
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
    expect(JSON.stringify(said)).toContain("ENOENT");
    expect(JSON.stringify(said)).not.toContain("passwd");
  });

  test("that the store cannot note leaves nothing behind, since nothing would take it away", async () => {
    const openMedia = async () => ({ body: stream(png), mimeType: "image/png" });
    const full = new StoreError("full", "the disk is full");
    const noting = spyOn(store, "addAttachments").mockRejectedValueOnce(full);
    const prepared = await prepare()(fakeChannel({ openMedia }), entry(photo), signal);
    noting.mockRestore();
    expect(prepared.attachments).toMatchObject([{ path: null, error: "the disk is full" }]);
    expect(readdirSync(join(folder.path, "media"))).toEqual([]);
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
    const unreadable = transcriber(() => open(join(folder.path, "Ada's scan.ogg")) as never);
    await prepare({ transcriber: unreadable, log })(spoken, entry(voice, "voice"), signal);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("ENOENT");
    expect(said[0]).not.toContain("scan");
  });
});

const requestOf = (paths: string[] = [], type = "text"): TurnRequest => ({
  turn_id: "turn_1",
  channel: "whatsapp",
  backend: "cloud",
  chat: { id: "+15550001111", kind: "direct" },
  history: [],
  messages: [
    {
      id: "wamid.1",
      type,
      text: "hi",
      timestamp: 1,
      sender: { phone: null, user_id: null, lid: null, username: null, name: null },
      reply_to: null,
      forwarded: false,
      attachments: paths.map((path) => ({
        kind: "image",
        mime_type: "image/png",
        filename: null,
        size: 1,
        path,
      })),
    },
  ],
});

describe("a file that an agent hands back", () => {
  const parts = (path: string, media: "image" | "audio" = "image"): AgentPart[] => [
    { kind: "media", media, path, caption: "look", filename: null },
  ];
  const compose = (kept: string[] = []) =>
    replyComposer({
      mediaFolder: join(folder.path, "media"),
      mediaDir: join(folder.path, "outgoing"),
      keep: async (_, file) => void kept.push(file.path),
    });
  const turn = { messageId: 7 };
  const write = (...path: string[]) => {
    const file = join(folder.path, ...path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, png);
    return file;
  };

  test("from media_dir is copied, so that it is still there when it is sent", async () => {
    const file = write("outgoing", "chart.png");
    const kept: string[] = [];
    const [content] = await compose(kept)(fakeChannel(), requestOf(), turn, parts(file));
    if (content?.kind !== "media") throw new Error("no media");
    expect(content).toMatchObject({ media: "image", mimeType: "image/png", caption: "look" });
    expect(content.path).not.toBe(file);
    expect(existsSync(content.path)).toBe(true);
    expect(kept).toEqual([content.path]);
  });

  test("that even its owner may only read is taken, by a daemon that is not root", async () => {
    const file = write("outgoing", "chart.png");
    chmodSync(file, 0o444);
    const asRoot = process.geteuid?.() === 0;
    if (asRoot) {
      mkdirSync(join(folder.path, "media"));
      for (const name of ["", "media", "outgoing"]) chmodSync(join(folder.path, name), 0o777);
      process.seteuid?.(65_534);
    }
    try {
      const [content] = await compose()(fakeChannel(), requestOf(), turn, parts(file));
      if (content?.kind !== "media") throw new Error("no media");
      expect(statSync(content.path).mode & 0o777).toBe(0o600);
      expect(readFileSync(content.path)).toEqual(png);
    } finally {
      if (asRoot) process.seteuid?.(0);
    }
  });

  test("that becomes a link while it is looked at is not followed", async () => {
    const file = write("outgoing", "chart.png");
    const secret = write("elsewhere", "secret.png");
    const request = {
      ...requestOf(),
      // Asked for once the path is known, and before the file is opened.
      get messages() {
        rmSync(file);
        symlinkSync(secret, file);
        return [];
      },
    };
    const answer = compose()(fakeChannel(), request, turn, parts(file));
    await expect(answer).rejects.toBeInstanceOf(AgentError);
  });

  test("that cannot be noted leaves nothing behind", async () => {
    const answer = replyComposer({
      mediaFolder: join(folder.path, "media"),
      mediaDir: join(folder.path, "outgoing"),
      keep: async () => Promise.reject(new Error("full")),
    })(fakeChannel(), requestOf(), turn, parts(write("outgoing", "chart.png")));
    await expect(answer).rejects.toThrow("full");
    expect(readdirSync(join(folder.path, "media", "out"))).toEqual([]);
  });

  test("from beside the turn's own attachment is taken", async () => {
    const attachment = write("media", "7", "1-photo.png");
    const made = write("media", "7", "made.png");
    const answer = compose()(fakeChannel(), requestOf([attachment]), turn, parts(made));
    expect((await answer).length).toBe(1);
  });

  const hostile: [string, () => string][] = [
    ["outside", () => write("elsewhere", "secret.png")],
    ["by a way out of the folder", () => join(folder.path, "outgoing", "..", "revka.db")],
    [
      "through a link",
      () => {
        const secret = write("elsewhere", "secret.png");
        const link = write("outgoing", "x.png").replace("x.png", "link.png");
        symlinkSync(secret, link);
        return link;
      },
    ],
    [
      "that is a pipe",
      () => {
        const pipe = write("outgoing", "x.png").replace("x.png", "pipe");
        execFileSync("mkfifo", [pipe]);
        return pipe;
      },
    ],
    ["that is not there", () => join(folder.path, "outgoing", "none.png")],
    [
      "that is a folder",
      () => {
        write("outgoing", "folder", "x.png");
        return join(folder.path, "outgoing", "folder");
      },
    ],
    [
      "that is empty",
      () => {
        const file = write("outgoing", "x.png");
        truncateSync(file);
        return file;
      },
    ],
    [
      "of over 100 MiB",
      () => {
        const file = write("outgoing", "x.png");
        truncateSync(file, 100 * 1024 * 1024 + 1);
        return file;
      },
    ],
    [
      "from a folder whose name begins alike",
      () => {
        write("outgoing", "x.png");
        return write("outgoing-private", "secret.png");
      },
    ],
  ];
  test.each(hostile)("%s fails the turn", async (_, path) => {
    const answer = compose()(fakeChannel(), requestOf(), turn, parts(path()));
    const error = await answer.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AgentError);
    expect(existsSync(join(folder.path, "media"))).toBe(false);
  });

  test("as sound keeps its caption as a text of its own", async () => {
    const contents = await compose()(
      fakeChannel(),
      requestOf(),
      turn,
      parts(write("outgoing", "song.mp3"), "audio"),
    );
    expect(contents.map((content) => content.kind)).toEqual(["media", "text"]);
    expect(contents[0]).toMatchObject({ caption: null });
  });

  test.each([
    ["voice", 0],
    ["audio", 16 * 1024 * 1024],
  ])("of spoken sound is %s with %d bytes more", async (media, more) => {
    const path = write("outgoing", "note.ogg");
    writeFileSync(path, Buffer.concat([opusFile(2), Buffer.alloc(more)]));
    const [content] = await compose()(fakeChannel(), requestOf(), turn, parts(path, "audio"));
    expect(content).toMatchObject({ kind: "media", media });
  });

  test.each([
    ["sound alone in MP4", "audio", "\0\0\0\u0018ftypM4A \0\0\0\0M4A mp42", "audio/mp4"],
    ["the same by another brand", "audio", "\0\0\0\u0018ftypisom\0\0\0\0isommp42", "audio/mp4"],
    ["text", "image", "Käse;3,50\n", "text/plain"],
  ] as const)("has the type that platforms know: %s", async (_, media, bytes, mimeType) => {
    const path = write("outgoing", "file");
    writeFileSync(path, bytes);
    const given: AgentPart[] = [{ kind: "media", media, path, caption: null, filename: null }];
    const [content] = await compose()(fakeChannel(), requestOf(), turn, given);
    expect(content).toMatchObject({ mimeType });
  });

  test("has its caption formatted as text is; one that no platform takes follows as text", async () => {
    const long = "word ".repeat(300).trim();
    for (const [caption, kinds] of [
      ["**look**", ["media"]],
      [long, ["media", "text"]],
    ] as const) {
      const [part] = parts(write("outgoing", "photo.png"));
      const channel = fakeChannel({ renderText: (text) => [text.replaceAll("**", "*")] });
      const given = part?.kind === "media" ? [{ ...part, caption }] : [];
      const contents = await compose()(channel, requestOf(), turn, given);
      expect(contents.map((content) => content.kind)).toEqual([...kinds]);
      const shown = caption === long ? null : "*look*";
      expect(contents[0]).toMatchObject({ caption: shown });
      if (contents[1]) expect(contents[1]).toMatchObject({ text: long });
    }
  });
});
