import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { AgentPart } from "../../src/agent/agent.ts";
import { replySpeaker } from "../../src/conversation/speak.ts";
import type { Synthesizer } from "../../src/speech/synthesis.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { message, turn } from "../support/turn.ts";
import { temporaryFolder } from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

const spoken: string[] = [];
const speaks: Synthesizer = {
  provider: "openai",
  canVoice: { ok: true },
  async synthesize(text, path) {
    spoken.push(text);
    writeFileSync(path, "OggS");
    return { path, mimeType: "audio/ogg; codecs=opus", durationSecs: 2 };
  },
};
const fails: Synthesizer = { ...speaks, synthesize: async () => Promise.reject(new Error("500")) };
/** Its voice is made, but the store does not take it. */
const unnoted: Synthesizer = { ...speaks };
const declines: Synthesizer = { ...speaks, synthesize: async () => null };
const texts: AgentPart[] = [
  { kind: "text", text: "good morning" },
  { kind: "reaction", emoji: "👍" },
  { kind: "text", text: "and good night" },
];

test.each([
  ["follows a voice note", ["voice"], speaks, texts, true, null],
  ["follows one among texts", ["text", "voice", "text"], speaks, texts, true, null],
  ["does not follow a text", ["text"], speaks, texts, false, null],
  ["is left out where speech fails", ["voice"], fails, texts, false, "500"],
  ["is left out where there is nothing to speak", ["voice"], declines, texts, false, null],
  ["is left out where the store fails", ["voice"], unnoted, texts, false, "full"],
  ["is left out where nothing was said", ["voice"], speaks, texts.slice(1, 2), false, null],
])("a voice note %s", async (_, types, synthesizer, parts, made, reason) => {
  const kept: [number, string, number][] = [];
  const said: unknown[][] = [];
  const speak = replySpeaker({
    mediaFolder: folder.path,
    synthesizer,
    async keep(id, file) {
      if (synthesizer === unnoted) throw new Error("full");
      kept.push([id, file.path, file.bytes]);
    },
    log: { ...silentLog, warn: (...line) => void said.push(line) },
  });
  const request = turn({ messages: types.map((type) => message({ type })) });
  const note = await speak(request, { messageId: 7 }, parts, new AbortController().signal);
  const path = join(folder.path, "out", "turn-1", "reply.ogg");
  expect(kept).toEqual(made ? [[7, path, 4]] : []);
  const failed = "no voice note could be made: the text goes alone";
  expect(said).toEqual(reason === null ? [] : [[{ turn: "turn-1", reason }, failed]]);
  if (!made) {
    expect(note).toBeNull();
    return expect(existsSync(join(folder.path, "out", "turn-1"))).toBe(false);
  }
  expect(note).toEqual({
    kind: "media",
    media: "voice",
    path,
    mimeType: "audio/ogg; codecs=opus",
    filename: null,
    caption: null,
    durationSecs: 2,
  });
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  expect(spoken.at(-1)).toBe("good morning\n\nand good night");
});

test("half of a character is not spoken: services refuse it", async () => {
  const speak = replySpeaker({
    mediaFolder: folder.path,
    synthesizer: speaks,
    keep: async () => {},
    log: silentLog,
  });
  const request = turn({ messages: [message({ type: "voice" })] });
  const half: AgentPart[] = [{ kind: "text", text: "good morning \ud83d" }];
  await speak(request, { messageId: 7 }, half, new AbortController().signal);
  expect(spoken.at(-1)).toBe("good morning \ufffd");
});

test("a voice note is on disk before it is promised", async () => {
  const probe = await open(folder.path);
  const handles: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const order: string[] = [];
  const sync = spyOn(handles, "sync").mockImplementation(async () => void order.push("on disk"));
  const speak = replySpeaker({
    mediaFolder: folder.path,
    synthesizer: speaks,
    keep: async () => void order.push("noted"),
    log: silentLog,
  });
  const request = turn({ messages: [message({ type: "voice" })] });
  expect(
    await speak(request, { messageId: 7 }, texts, new AbortController().signal),
  ).not.toBeNull();
  sync.mockRestore();
  expect(order).toEqual(["on disk", "noted"]);
});
