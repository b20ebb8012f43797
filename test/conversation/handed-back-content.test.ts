import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { AgentPart, TurnAttachment } from "../../src/agent/agent.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { opusFile } from "../speech/opus.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message, turn } from "../support/turn.ts";

// Which files of an agent are sent, and as what.

const trial = storeTrial();

const write = (path: string, bytes: string | Uint8Array = png) => {
  const file = join(trial.folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  return file;
};

type Media = Extract<AgentPart, { kind: "media" }>;
const part = (path: string, changes: Partial<Media> = {}): Media => ({
  kind: "media",
  media: "document",
  path,
  caption: null,
  filename: null,
  ...changes,
});

/** What is sent of such parts, in a turn with these attachments. */
function compose(
  parts: Media[],
  {
    mediaDir = join(trial.folder, "outgoing"),
    attachments = [],
  }: {
    mediaDir?: string | null;
    attachments?: TurnAttachment[];
  } = {},
) {
  const request = turn({ messages: [message({ type: "document", text: "", attachments })] });
  const mediaFolder = join(trial.folder, "media");
  const composer = replyComposer({ mediaFolder, mediaDir, keep: async () => {} });
  return composer(fakeChannel(), request, { messageId: 7 }, parts);
}
const attached = (path: string | null): TurnAttachment => ({
  kind: "document",
  mime_type: null,
  filename: null,
  size: null,
  path,
});

test("an answer may have several files of one name", async () => {
  const files = ["monday", "tuesday"].map((day) => write(`outgoing/${day}/report.txt`, day));
  const contents = await compose(files.map((file) => part(file)));
  const sent = contents.map((content) => (content.kind === "media" ? content : null));
  expect(sent.map((each) => readFileSync(each?.path ?? "", "utf8"))).toEqual(["monday", "tuesday"]);
  expect(sent.map((each) => each?.filename)).toEqual(["report.txt", "report.txt"]);
});

test("a file has the name that the agent gives it, made safe, else its own", async () => {
  const file = write("outgoing/a1b2.pdf", "%PDF-1.7");
  const contents = await compose([part(file, { filename: "../Invoice 7.pdf" }), part(file)]);
  expect(contents).toMatchObject([{ filename: "Invoice 7.pdf" }, { filename: "a1b2.pdf" }]);
  for (const content of contents) {
    if (content.kind !== "media") throw new Error("no media");
    expect(dirname(content.path)).toBe(join(trial.folder, "media", "out", "turn-1"));
    expect(basename(content.path)).toEndWith(content.filename ?? "no name");
  }
});

test("sound that is handed back as a document stays one", async () => {
  const [content] = await compose([part(write("outgoing/note.ogg", opusFile(2)))]);
  expect(content).toMatchObject({ media: "document", durationSecs: null });
});

test.each<[name: string, media: Media["media"], bytes: Uint8Array, mimeType: string]>([
  ["bytes without a mark", "document", Buffer.from([0, 1, 2, 3]), "application/octet-stream"],
  ["another kind than was said", "image", Buffer.from("%PDF-1.7"), "application/pdf"],
])("%s have the type that they are of", async (_, media, bytes, mimeType) => {
  const [content] = await compose([part(write("outgoing/file", bytes), { media })]);
  expect(content).toMatchObject({ mimeType });
});

test.each<[name: string, media: Media["media"], bytes: string, mimeType: string]>([
  ["answer.mp3", "audio", "\0\0\0", "audio/mpeg"],
  ["ANSWER.OGG", "audio", "no mark", "audio/ogg"],
  ["photo.jpg", "image", "\0\0\0", "image/jpeg"],
  ["photo.jpg", "audio", "\0\0\0", "application/octet-stream"],
  ["photo.jpg", "image", "<html>", "text/plain"],
  ["answer", "audio", "\0\0\0", "application/octet-stream"],
  ["data.mp3", "document", "\0\0\0", "application/octet-stream"],
  ["data.txt", "document", "\0\0\0", "application/octet-stream"],
])("%s as %s, without a mark: its name tells", async (name, media, bytes, mimeType) => {
  const [content] = await compose([part(write(`outgoing/${name}`, bytes), { media })]);
  expect(content).toMatchObject({ mimeType });
});

test("media_dir may itself be a link", async () => {
  const file = write("elsewhere/chart.png");
  const link = join(trial.folder, "linked");
  symlinkSync(dirname(file), link);
  for (const path of [file, join(link, "chart.png")]) {
    expect(await compose([part(path)], { mediaDir: link })).toHaveLength(1);
  }
});

test("an attachment that was not fetched stands in no answer's way, and opens no folder", async () => {
  const file = write("outgoing/chart.png");
  expect(await compose([part(file)], { attachments: [attached(null)] })).toHaveLength(1);
  const elsewhere = compose([part(write("elsewhere/secret.png"))], {
    attachments: [attached(null)],
  });
  await expect(elsewhere).rejects.toMatchObject({ name: "AgentError" });
});

test("without media_dir, the turn's own attachments alone may be handed back", async () => {
  const own = write("media/7/1-scan.png");
  const given = { mediaDir: null, attachments: [attached(own)] };
  expect(await compose([part(own)], given)).toHaveLength(1);
  const another = write("media/8/1-scan.png");
  await expect(compose([part(another)], given)).rejects.toMatchObject({ name: "AgentError" });
});
