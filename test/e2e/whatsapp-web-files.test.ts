import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { Message } from "../../src/channels/message.ts";
import { Harness, PATIENCE_MS, heldClock } from "../channels/whatsapp-web/harness.ts";
import { rejection } from "../support/rejection.ts";

process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";

setDefaultTimeout(60_000);

/** For the server to name its media servers (`media-connection.ts`). */
const MEDIA_CONNECTION_MS = 10_000;
/** For the phone to upload a file again (`media-retry.ts`). */
const MEDIA_RETRY_MS = 30_000;

let h: Harness;
afterEach(() => h.stop());

async function bytesOf(
  message: Message,
  signal = AbortSignal.timeout(PATIENCE_MS),
): Promise<Buffer> {
  const [attachment] = message.attachments;
  if (!attachment) throw new Error("no attachment");
  const { body } = await h.channel.openMedia(attachment, signal);
  return Buffer.from(await new Response(body).arrayBuffer());
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(h.folder, name);
  mkdirSync(h.folder, { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

test("media comes in and is deciphered; a file that was changed on the way is refused", async () => {
  h = await Harness.linked();
  const picture = Buffer.alloc(100_003, "picture");
  await h.ada.send(h.owner, { image: picture, caption: "look" });
  const image = await h.message("look");
  expect(image.type).toBe("image");
  expect(await bytesOf(image)).toEqual(picture);
  const sound = Buffer.from("OggS voice");
  await h.ada.send(h.owner, { voice: sound, seconds: 3 });
  const voice = await h.message(({ type }) => type === "voice");
  expect(voice.attachments[0]).toMatchObject({ kind: "audio", durationSecs: 3 });
  expect(await bytesOf(voice)).toEqual(sound);
  await h.ada.send(h.owner, { document: Buffer.from("%PDF"), fileName: "offer.pdf" });
  const document = await h.message(({ type }) => type === "document");
  expect(document.text).toBe("offer.pdf");
  for (const [path, bytes] of h.wa.media.files) {
    bytes[5] = (bytes[5] ?? 0) ^ 1;
    h.wa.media.files.set(path, bytes);
  }
  await expect(bytesOf(document)).rejects.toThrow("not what its sender sent");
});

test("media goes out, and phones can open it", async () => {
  h = await Harness.linked();
  const sound = Buffer.from("OggS real opus");
  const content = {
    kind: "media",
    media: "voice",
    path: file("answer.ogg", sound),
    mimeType: "audio/ogg",
    filename: null,
    caption: null,
    durationSecs: 2.4,
  } as const;
  expect(await h.send(h.ada, content)).toMatchObject({ ok: true });
  const voice = await h.ada.waitForMessage(({ voice }) => voice);
  expect(voice.content.audioMessage).toMatchObject({
    ptt: true,
    seconds: 3,
    mimetype: "audio/ogg; codecs=opus",
  });
  expect(await h.ada.download(voice)).toEqual(sound);
  const picture = { ...content, media: "image", mimeType: "image/png", caption: "there" } as const;
  expect(await h.send(h.ada, picture)).toMatchObject({ ok: true });
  const image = await h.ada.waitForMessage("there");
  expect(await h.ada.download(image)).toEqual(sound);
});

for (const how of [{ do: "refuse", code: 500 }, { do: "swallow" }] as const) {
  test(`where the media servers are not named once (${how.do}), the next file asks again`, async () => {
    const clock = heldClock(MEDIA_CONNECTION_MS);
    h = await Harness.linked({ clock });
    const picture = Buffer.alloc(5000, 1);
    await h.ada.send(h.owner, { image: picture, caption: "look" });
    const image = await h.message("look");
    const content = {
      kind: "media",
      media: "image",
      path: file("a.png", picture),
      mimeType: "image/png",
      filename: null,
      caption: null,
      durationSecs: null,
    } as const;
    h.wa.fault({ at: "in:iq:w:m", ...how });
    const sending = h.send(h.ada, content, "one");
    await h.wa.faults.struck.waitFor();
    clock.elapse();
    expect(await sending).toMatchObject({
      failure: { retry: "backoff", code: "no_media_server" },
    });
    expect(await bytesOf(image)).toEqual(picture);
    expect(await h.send(h.ada, content, "one")).toMatchObject({ ok: true });
    await h.ada.waitForMessage(({ media }) => media !== undefined);
  });
}

/** A picture that is gone from WhatsApp's servers, and a phone that does not answer. */
async function goneAndSilent(clock = heldClock(MEDIA_RETRY_MS)): Promise<Message> {
  h = await Harness.linked({ clock });
  h.owner.mediaRetries = "silent";
  await h.ada.send(h.owner, { image: Buffer.alloc(5000, 1), caption: "look" });
  const image = await h.message("look");
  h.wa.media.expire();
  return image;
}

test("a phone that does not upload a file again is waited for once, for a while", async () => {
  const clock = heldClock(MEDIA_RETRY_MS);
  const image = await goneAndSilent(clock);
  const message =
    "WhatsApp no longer has the file (404), and the phone did not upload the file again in time";
  const first = rejection(bytesOf(image));
  await h.wa.mediaRetries.waitForCount(1);
  clock.elapse();
  expect(await first).toMatchObject({ name: "MediaUnavailable", message });
  expect(await rejection(bytesOf(image))).toMatchObject({ message });
  expect(h.wa.mediaRetries.count).toBe(1);
});

test("whoever gives up a file, or stops the channel, does not wait for the phone", async () => {
  const image = await goneAndSilent();
  const stop = new AbortController();
  const first = rejection(bytesOf(image, stop.signal));
  await h.wa.mediaRetries.waitForCount(1);
  stop.abort(new Error("given up"));
  expect(await first).toMatchObject({ message: "given up" });
  const second = rejection(bytesOf(image));
  await h.wa.mediaRetries.waitForCount(2);
  await h.channel.stop();
  expect(await second).toMatchObject({ name: "DownloadFailure" });
});

test("files that cannot be sent fail for good; a media server that refuses is tried again", async () => {
  h = await Harness.linked();
  const content = {
    kind: "media",
    media: "sticker",
    path: join(h.folder, "nothing.webp"),
    mimeType: "image/webp",
    filename: null,
    caption: null,
    durationSecs: null,
  } as const;
  expect(await h.send(h.ada, content)).toMatchObject({
    failure: { retry: "no", code: "file_missing" },
  });
  const large = { ...content, path: file("large.webp", Buffer.alloc(1024 * 1024 + 1)) };
  expect(await h.send(h.ada, large)).toMatchObject({
    failure: { retry: "no", code: "file_too_large" },
  });
  h.wa.fault({ at: "upload", do: "refuse", code: 500 });
  const small = { ...content, path: file("small.webp", Buffer.alloc(10, 1)) };
  expect(await h.send(h.ada, small)).toMatchObject({
    failure: { retry: "backoff", code: "upload_failed" },
  });
});
