import { describe, expect, test } from "bun:test";
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
import { dirname, join } from "node:path";
import { AgentError, type AgentPart } from "../../src/agent/agent.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { opusFile } from "../speech/opus.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message, turn } from "../support/turn.ts";

const trial = storeTrial();

const requestOf = (paths: string[] = [], type = "text") => {
  const attachment = { kind: "image", mime_type: "image/png", filename: null, size: 1 } as const;
  const attachments = paths.map((path) => ({ ...attachment, path }));
  return turn({ messages: [message({ type, attachments })] });
};

describe("a file that an agent hands back", () => {
  const parts = (path: string, media: "image" | "audio" = "image"): AgentPart[] => [
    { kind: "media", media, path, caption: "look", filename: null },
  ];
  const compose = (kept: object[] = []) =>
    replyComposer({
      mediaFolder: join(trial.folder, "media"),
      mediaDir: join(trial.folder, "outgoing"),
      keep: async (messageId, file) => void kept.push({ messageId, ...file }),
    });
  const turn = { messageId: 7 };
  const write = (...path: string[]) => {
    const file = join(trial.folder, ...path);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, png);
    return file;
  };

  test("from media_dir is copied, so that it is still there when it is sent", async () => {
    const file = write("outgoing", "chart.png");
    const kept: object[] = [];
    const [content] = await compose(kept)(fakeChannel(), requestOf(), turn, parts(file));
    if (content?.kind !== "media") throw new Error("no media");
    expect(content).toMatchObject({ media: "image", mimeType: "image/png", caption: "look" });
    expect(content.path).not.toBe(file);
    expect(existsSync(content.path)).toBe(true);
    expect(kept).toEqual([{ messageId: 7, path: content.path, bytes: png.length }]);
    expect(statSync(dirname(content.path)).mode & 0o777).toBe(0o700);
  });

  test("that even its owner may only read is taken, by a daemon that is not root", async () => {
    const file = write("outgoing", "chart.png");
    chmodSync(file, 0o444);
    const asRoot = process.geteuid?.() === 0;
    if (asRoot) {
      mkdirSync(join(trial.folder, "media"));
      for (const name of ["", "media", "outgoing"]) chmodSync(join(trial.folder, name), 0o777);
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

  test("whose folder becomes a link while it is looked at is not followed", async () => {
    const file = write("outgoing", "today", "chart.png");
    const secret = write("elsewhere", "chart.png");
    const request = {
      ...requestOf(),
      // Asked for once the path is known, and before the file is opened.
      get messages() {
        rmSync(dirname(file), { recursive: true });
        symlinkSync(dirname(secret), dirname(file));
        return [];
      },
    };
    const answer = compose()(fakeChannel(), request, turn, parts(file));
    await expect(answer).rejects.toBeInstanceOf(AgentError);
  });

  test("that cannot be noted leaves nothing behind", async () => {
    const answer = replyComposer({
      mediaFolder: join(trial.folder, "media"),
      mediaDir: join(trial.folder, "outgoing"),
      keep: async () => Promise.reject(new Error("full")),
    })(fakeChannel(), requestOf(), turn, parts(write("outgoing", "chart.png")));
    await expect(answer).rejects.toThrow("full");
    expect(readdirSync(join(trial.folder, "media", "out"))).toEqual([]);
  });

  test("from beside the turn's own attachment is taken", async () => {
    const attachment = write("media", "7", "1-photo.png");
    const made = write("media", "7", "made.png");
    const answer = compose()(fakeChannel(), requestOf([attachment]), turn, parts(made));
    expect((await answer).length).toBe(1);
  });

  const outside = "names a file outside [agent] media_dir and the turn's own attachments";
  const hostile: [string, () => string, string][] = [
    ["outside", () => write("elsewhere", "secret.png"), outside],
    ["by a way out of the folder", () => join(trial.folder, "outgoing", "..", "revka.db"), outside],
    [
      "through a link",
      () => {
        const secret = write("elsewhere", "secret.png");
        const link = write("outgoing", "x.png").replace("x.png", "link.png");
        symlinkSync(secret, link);
        return link;
      },
      outside,
    ],
    [
      "that is a pipe",
      () => {
        const pipe = write("outgoing", "x.png").replace("x.png", "pipe");
        execFileSync("mkfifo", [pipe]);
        return pipe;
      },
      "names something that is no file",
    ],
    [
      "that is not there",
      () => write("outgoing", "chart.png").replace("chart.png", "none.png"),
      "names a file that is not there",
    ],
    [
      "that is a folder",
      () => {
        write("outgoing", "folder", "x.png");
        return join(trial.folder, "outgoing", "folder");
      },
      "names something that is no file",
    ],
    [
      "that is empty",
      () => {
        const file = write("outgoing", "x.png");
        truncateSync(file);
        return file;
      },
      "names an empty file",
    ],
    [
      "of over 100 MiB",
      () => {
        const file = write("outgoing", "x.png");
        truncateSync(file, 100 * 1024 * 1024 + 1);
        return file;
      },
      "names a file of over 100 MiB",
    ],
    [
      "from a folder whose name begins alike",
      () => {
        write("outgoing", "x.png");
        return write("outgoing-private", "secret.png");
      },
      outside,
    ],
  ];
  test.each(hostile)("%s fails the turn, and says why", async (_, path, why) => {
    const answer = compose()(fakeChannel(), requestOf(), turn, parts(path()));
    const error = await answer.then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(AgentError);
    // The agent may answer better when it is asked again.
    expect(error).toMatchObject({ retryable: true, detail: `the answer ${why}` });
    expect(existsSync(join(trial.folder, "media"))).toBe(false);
  });

  test("of 100 MiB is taken", async () => {
    const file = write("outgoing", "film.mp4");
    truncateSync(file, 100 * 1024 * 1024);
    expect(await compose()(fakeChannel(), requestOf(), turn, parts(file))).toHaveLength(1);
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
    ["voice", 16 * 1024 * 1024],
    ["audio", 16 * 1024 * 1024 + 1],
  ])("of spoken sound is %s with %d bytes or its own, what is more", async (media, bytes) => {
    const path = write("outgoing", "note.ogg");
    writeFileSync(path, opusFile(2));
    if (bytes > 0) truncateSync(path, bytes);
    const [content] = await compose()(fakeChannel(), requestOf(), turn, parts(path, "audio"));
    expect(content).toMatchObject({ kind: "media", media });
  });

  test.each([
    [2.4, 2],
    [2.6, 3],
    [0.1, 1],
  ])("and sounds for %d s goes as a voice note of %d s", async (seconds, durationSecs) => {
    const path = write("outgoing", "note.ogg");
    writeFileSync(path, opusFile(seconds));
    const [content] = await compose()(fakeChannel(), requestOf(), turn, parts(path, "audio"));
    expect(content).toEqual({
      kind: "media",
      media: "voice",
      path: expect.stringContaining(join(trial.folder, "media", "out")),
      filename: "note.ogg",
      caption: null,
      mimeType: "audio/ogg; codecs=opus",
      durationSecs,
    });
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
