import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { TurnRequest } from "../../src/agent/agent.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { closing } from "../net/closing.ts";
import { temporaryFolder } from "../support/store.ts";
import { type AgentAnswer, startAgent, type TestAgent } from "./support/agent.ts";
import { startCloud } from "./support/cloud.ts";
import { files } from "./support/files.ts";
import { startWati } from "./support/wati.ts";

setDefaultTimeout(20_000);

const ada = { phone: "+15550001111", name: "Ada" };
const closed = closing();

/** The attachment of the n-th turn, looked at as an agent would. */
function received(agent: TestAgent, turn: number, home: string) {
  const [message] = agent.turns.entries[turn]?.messages ?? [];
  const [attachment] = message?.attachments ?? [];
  if (!message || !attachment?.path) throw new Error(`no file: ${attachment?.error}`);
  const { path, ...told } = attachment;
  expect(path).toStartWith(`${join(home, "media")}/`);
  expect(resolve(path)).toBe(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(path)).mode & 0o777).toBe(0o700);
  return { type: message.type, text: message.text, bytes: readFileSync(path), path, ...told };
}

describe("a customer's file lies under the home, whole, private, by its true type", () => {
  test("through the Cloud API", async () => {
    const agent = await startAgent();
    await using setup = await startCloud({ agent: { kind: "webhook", url: agent.url } });
    const { graph, daemon } = setup;
    const sent = [
      content.image(graph.file(files.png, "image/jpeg"), "look"),
      content.document(graph.file(files.pdf, "application/pdf"), "../../../etc/offer.pdf"),
      content.video(graph.file(files.mp4, "video/mp4"), "a film"),
      content.sticker(graph.file(files.webp, "image/webp")),
    ];
    for (const [index, each] of sent.entries()) {
      graph.write({ from: ada, content: each });
      await agent.turns.waitFor({ count: index + 1 });
    }
    const got = sent.map((_, turn) => received(agent, turn, daemon.home));
    expect(got).toMatchObject([
      { type: "image", text: "look", kind: "image", mime_type: "image/png", filename: null },
      { type: "document", kind: "document", mime_type: "application/pdf", filename: "offer.pdf" },
      { type: "video", text: "a film", kind: "video", mime_type: "video/mp4" },
      { type: "sticker", text: "", kind: "sticker", mime_type: "image/webp" },
    ]);
    const originals = [files.png, files.pdf, files.mp4, files.webp];
    expect(got.map(({ bytes }) => bytes)).toEqual(originals);
    expect(got.map(({ size }) => size)).toEqual(originals.map(({ length }) => length));
    expect(got[1]?.path).toEndWith("/1-offer.pdf");
    agent.stop();
  });

  test("through WATI, by address, by path and by nothing but the message's id", async () => {
    const agent = await startAgent();
    await using setup = await startWati({ agent: { kind: "webhook", url: agent.url } });
    const { wati, daemon } = setup;
    const sent = [
      { type: "image", bytes: files.png, extension: "jpg", text: "look", names: "url" },
      { type: "document", bytes: files.pdf, extension: "pdf", text: "offer.pdf", names: "nothing" },
      { type: "video", bytes: files.mp4, extension: "mp4", text: "a film", names: "path" },
    ] as const;
    for (const [index, each] of sent.entries()) {
      await wati.sendMedia("15550001111", { ...each, mimeType: "application/octet-stream" });
      await agent.turns.waitFor({ count: index + 1 });
    }
    const got = sent.map((_, turn) => received(agent, turn, daemon.home));
    expect(got).toMatchObject([
      { type: "image", text: "look", mime_type: "image/png" },
      { type: "document", text: "offer.pdf", mime_type: "application/pdf", filename: "offer.pdf" },
      { type: "video", text: "a film", mime_type: "video/mp4" },
    ]);
    expect(got.map(({ bytes }) => bytes)).toEqual(sent.map(({ bytes }) => bytes));
    agent.stop();
  });
});

/** A folder for the files of an agent, and the agent, which answers a text with what that text names. */
async function startSender(answers: Record<string, (folder: string) => AgentAnswer>) {
  const folder = temporaryFolder();
  const mediaDir = join(folder.path, "media");
  mkdirSync(mediaDir);
  for (const [name, bytes] of Object.entries(files.named)) {
    writeFileSync(join(mediaDir, name), bytes);
  }
  writeFileSync(join(folder.path, "secret.pdf"), files.pdf);
  const agent = await startAgent(
    (turn: TurnRequest) => answers[turn.messages[0]?.text ?? ""]?.(mediaDir) ?? null,
  );
  closed({
    close: async () => {
      agent.stop();
      folder.remove();
    },
  });
  return { agent: { kind: "webhook", url: agent.url, media_dir: mediaDir }, turns: agent.turns };
}

const one = (part: Record<string, string>): AgentAnswer => ({ body: { messages: [part] } });
const answers = {
  picture: (folder: string) => one({ image_path: join(folder, "photo.png"), caption: "**look**" }),
  offer: (folder: string) =>
    one({ document_path: join(folder, "offer.pdf"), filename: "Your offer.pdf", caption: "here" }),
  film: (folder: string) => one({ video_path: join(folder, "film.mp4") }),
  prices: (folder: string) => one({ document_path: join(folder, "prices.csv") }),
  sound: (folder: string) => ({
    body: {
      messages: [
        { audio_path: join(folder, "note.ogg"), caption: "listen" },
        { audio_path: join(folder, "song.mp3") },
      ],
    },
  }),
  large: (folder: string) => one({ image_path: join(folder, "large.png") }),
  outside: (folder: string) => one({ document_path: join(folder, "..", "secret.pdf") }),
  passwd: () => one({ document_path: "/etc/passwd" }),
  text: () => ({ body: { text: "just text" } }),
};

describe("an agent's file", () => {
  test("goes out through the Cloud API; what Meta would not take fails with the reason", async () => {
    const sender = await startSender(answers);
    await using setup = await startCloud({ agent: sender.agent });
    const { graph, daemon } = setup;
    const ask = (text: string) => graph.write({ from: ada, content: content.text(text) });
    ask("picture");
    await graph.waitForSends({ to: ada.phone, count: 1 });
    ask("offer");
    await graph.waitForSends({ to: ada.phone, count: 2 });
    ask("prices");
    await graph.waitForSends({ to: ada.phone, count: 3 });
    ask("film");
    const sends = await graph.waitForSends({ to: ada.phone, count: 4 });
    expect(sends.map(({ type, text }) => [type, text])).toEqual([
      ["image", "*look*"],
      ["document", "here"],
      ["document", null],
      ["video", null],
    ]);
    expect(sends[1]?.body).toMatchObject({ document: { filename: "Your offer.pdf" } });
    const uploads = graph.records.uploads.entries.slice();
    expect(uploads.map(({ mimeType }) => mimeType)).toEqual([
      "image/png",
      "application/pdf",
      "text/plain",
      "video/mp4",
    ]);
    const arrived = uploads.map(({ mediaId }) =>
      Buffer.from(graph.media.get(mediaId)?.bytes ?? []),
    );
    const { "prices.csv": csv } = files.named;
    expect(arrived).toEqual([files.png, files.pdf, csv, files.mp4]);
    expect(sends[2]?.body).toMatchObject({ document: { filename: "prices.csv" } });

    ask("sound");
    const sounds = (await graph.waitForSends({ to: ada.phone, count: 7 })).slice(4);
    expect(sounds.map(({ type, text, body }) => [type, text, body["audio"]])).toMatchObject([
      ["audio", null, { voice: true }],
      ["text", "listen", undefined],
      ["audio", null, {}],
    ]);
    expect(sounds[2]?.body["audio"]).not.toHaveProperty("voice");

    ask("large");
    await daemon.waitForLog("delivery failed");
    const status = await daemon.status();
    expect(status.outbox).toMatchObject({ pending: 0, failed: 1 });
    expect(status.failed_deliveries).toMatchObject([{ code: "media_too_large" }]);
    expect(status.failed_deliveries[0]?.hint).toMatch(/6\.\d MB.*at most 5 MB/);
    expect(graph.records.uploads.entries).toHaveLength(6);
  });

  test("from elsewhere fails the turn and is never sent", async () => {
    const sender = await startSender(answers);
    await using setup = await startCloud({ agent: sender.agent });
    const { graph, daemon } = setup;
    graph.write({ from: ada, content: content.text("outside") });
    graph.write({ from: { phone: "+15550002222" }, content: content.text("passwd") });
    await sender.turns.waitFor({ count: 4, timeoutMs: 10_000 });
    await daemon.waitForLog("outside [agent] media_dir");
    graph.write({ from: { phone: "+15550003333" }, content: content.text("text") });
    await graph.waitForSends();
    expect(graph.records.sends.entries.map(({ text }) => text)).toEqual(["just text"]);
    expect(graph.records.uploads.entries).toEqual([]);
  });

  test("goes out through WATI", async () => {
    const sender = await startSender(answers);
    await using setup = await startWati({ agent: sender.agent });
    const { wati } = setup;
    await wati.sendText("15550001111", "picture");
    await wati.waitForSends({ count: 1 });
    await wati.sendText("15550001111", "offer");
    const sends = await wati.waitForSends({ count: 2 });
    expect(sends.map(({ file, text }) => [file?.name, file?.mimeType, text])).toEqual([
      ["photo.png", "image/png", "*look*"],
      ["Your offer.pdf", "application/pdf", "here"],
    ]);
    expect(sends.map(({ file }) => Buffer.from(file?.bytes ?? []))).toEqual([files.png, files.pdf]);
  });
});
