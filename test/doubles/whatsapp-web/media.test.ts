import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { downloadMediaMessage } from "@whiskeysockets/baileys";
import { type Fixture, failure, fixture } from "./fixture.ts";

// The media server's certificate is made at start: this process cannot list it beforehand.
beforeAll(() => {
  process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
});
afterAll(() => {
  delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
});

let f: Fixture;
afterEach(() => f.stop());

test("a phone sends media, the client downloads it", async () => {
  f = await fixture();
  const picture = randomBytes(5_000);
  await f.ada.send(f.owner, { image: picture, caption: "look" });
  const { message } = await f.client.upserts.waitFor(({ message }) =>
    Boolean(message.message?.imageMessage),
  );
  expect(message.message?.imageMessage?.caption).toBe("look");
  expect(await downloadMediaMessage(message, "buffer", {})).toEqual(picture);

  await f.ada.send(f.owner, { voice: randomBytes(900), seconds: 3 });
  const voice = await f.client.upserts.waitFor(({ message }) =>
    Boolean(message.message?.audioMessage?.ptt),
  );
  expect(voice.message.message?.audioMessage?.seconds).toBe(3);
});

test("the client sends media, the phone checks and reads it", async () => {
  f = await fixture();
  const bytes = randomBytes(5_000);
  await f.client.sock.sendMessage(f.ada.jid, {
    document: bytes,
    fileName: "report.pdf",
    mimetype: "application/pdf",
    caption: "the report",
  });
  const report = await f.ada.waitForMessage((message) => message.media === "document");
  expect(report.text).toBe("the report");
  expect(await f.ada.download(report)).toEqual(bytes);

  const note = randomBytes(2_000);
  const mimetype = "audio/ogg; codecs=opus";
  await f.client.sock.sendMessage(f.ada.jid, { audio: note, ptt: true, seconds: 2, mimetype });
  const voice = await f.ada.waitForMessage((message) => message.voice);
  expect(await f.ada.download(voice)).toEqual(note);
  expect(f.wa.media.uploads.count).toBe(2);
});

test("a download that fails", async () => {
  f = await fixture();
  await f.ada.send(f.owner, { image: randomBytes(100) });
  const { message } = await f.client.upserts.waitFor(({ message }) =>
    Boolean(message.message?.imageMessage),
  );
  f.wa.fault({ at: "download", do: "refuse", code: 500 });
  expect(await failure(downloadMediaMessage(message, "buffer", {}))).toContain("Failed to fetch");
});
