import { expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startTarget } from "../net/target.ts";
import { temporaryFolder } from "../support/store.ts";
import { startAgent } from "./support/agent.ts";
import { files } from "./support/files.ts";
import { startLinked } from "./support/web.ts";

setDefaultTimeout(30_000);

test("files travel both ways through WhatsApp Web", async () => {
  const folder = temporaryFolder();
  const mediaDir = join(folder.path, "media");
  mkdirSync(mediaDir);
  for (const [name, bytes] of Object.entries(files.named)) {
    writeFileSync(join(mediaDir, name), bytes);
  }
  // Larger than WhatsApp takes as a picture.
  writeFileSync(join(mediaDir, "huge.png"), Buffer.concat([files.png, Buffer.alloc(17_000_000)]));
  writeFileSync(join(folder.path, "secret.pdf"), files.pdf);
  const own = (name: string) => join(mediaDir, name);
  const answers: Record<string, object[]> = {
    all: [
      { image_path: own("photo.png"), caption: "**look**" },
      { document_path: own("offer.pdf"), filename: "Your offer.pdf", caption: "here" },
      { video_path: own("film.mp4") },
      { audio_path: own("note.ogg") },
      { audio_path: own("song.mp3") },
    ],
    huge: [{ image_path: own("huge.png") }],
    outside: [{ text: "first" }, { document_path: join(mediaDir, "..", "secret.pdf") }],
  };
  const agent = await startAgent((turn) => {
    const messages = answers[turn.messages[0]?.text ?? ""];
    return messages ? { body: { messages } } : null;
  });
  await using setup = await startLinked({
    agent: { kind: "webhook", url: agent.url, media_dir: mediaDir },
  });
  const { ada, bob, owner, daemon } = setup;

  await ada.send(owner, { image: files.png, caption: "a picture" });
  await agent.turns.waitFor({ count: 1 });
  await ada.send(owner, { document: files.pdf, fileName: "../../offer.pdf" });
  await agent.turns.waitFor({ count: 2 });
  await ada.send(owner, { video: files.mp4, caption: "a film" });
  await agent.turns.waitFor({ count: 3 });
  const got = agent.turns.entries.map(({ messages: [message] }) => {
    const [file] = message?.attachments ?? [];
    const path = file?.path ?? "";
    expect(path).toStartWith(join(daemon.home, "media"));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    return [message?.type, message?.text, file?.mime_type, file?.filename, readFileSync(path)];
  });
  expect(got).toEqual([
    ["image", "a picture", "image/png", null, files.png],
    ["document", "../../offer.pdf", "application/pdf", "offer.pdf", files.pdf],
    ["video", "a film", "video/mp4", null, files.mp4],
  ]);

  await ada.send(owner, "all");
  const last = await ada.waitForMessage(({ media, voice }) => media === "audio" && !voice, 20_000);
  expect(last.content.audioMessage).toMatchObject({ mimetype: "audio/mpeg" });
  const sent = ada.inbox.all;
  expect(sent.map(({ media, voice, text }) => [media, voice, text])).toEqual([
    ["image", false, "*look*"],
    ["document", false, "here"],
    ["video", false, undefined],
    ["audio", true, undefined],
    ["audio", false, undefined],
  ]);
  expect(
    sent[1]?.content.documentWithCaptionMessage ?? sent[1]?.content.documentMessage,
  ).toBeTruthy();
  const bytes: Buffer[] = [];
  for (const message of sent) bytes.push(await ada.download(message));
  const names = ["photo.png", "offer.pdf", "film.mp4", "note.ogg", "song.mp3"] as const;
  expect(bytes).toEqual(names.map((name) => Buffer.from(files.named[name])));
  expect(sent[3]?.content.audioMessage).toMatchObject({ ptt: true, seconds: 2 });

  const uploads = setup.wa.media.uploads.count;
  await ada.send(owner, "huge");
  await daemon.waitForLog("delivery failed", 10_000);
  const status = await daemon.status();
  expect(status.failed_deliveries).toMatchObject([{ code: "file_too_large" }]);
  expect(status.failed_deliveries[0]?.hint).toContain("at most 16 MiB as image");
  await bob.send(owner, "outside");
  await daemon.waitForLog("outside [agent] media_dir", 10_000);
  expect(setup.wa.media.uploads.count).toBe(uploads);
  expect(bob.inbox.all).toEqual([]);
  agent.stop();
  folder.remove();
});

test("an address that its sender wrote leads nowhere but to WhatsApp", async () => {
  const elsewhere = await startTarget();
  const agent = await startAgent();
  await using setup = await startLinked({ agent: { kind: "webhook", url: agent.url } });
  const { ada, owner, wa } = setup;
  const { port } = elsewhere;
  const foreign: [string, string | null][] = [
    [`https://127.0.0.1:${port}/photo.enc`, null],
    [`http://127.0.0.1:${port}/photo.enc`, null],
    [`https://mmg.whatsapp.net@127.0.0.1:${port}/photo.enc`, null],
    [`https://127.0.0.1:${port}/photo.enc`, `@127.0.0.1:${port}/photo.enc`],
    [`https://127.0.0.1:${port}/photo.enc`, `//127.0.0.1:${port}/photo.enc`],
    [`file:///etc/passwd`, null],
  ];
  for (const [index, [url, directPath]] of foreign.entries()) {
    const encrypted = await wa.media.encrypt(files.png, "image");
    const caption = `picture ${index}`;
    await ada.send(owner, { raw: { imageMessage: { ...encrypted, url, directPath, caption } } });
  }
  const turns = await agent.turns.waitFor({ count: foreign.length, timeoutMs: 20_000 });
  const seen = turns.map(({ messages: [message] }) => [
    message?.text,
    message?.attachments[0]?.path,
  ]);
  expect(seen).toEqual(foreign.map((_, index) => [`picture ${index}`, null]));
  expect(elsewhere.connections).toBe(0);
  await elsewhere.close();
  agent.stop();
});
