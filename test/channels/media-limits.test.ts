import { expect, test } from "bun:test";
import { bareType, checkMedia, type OutboundMedia } from "../../src/channels/media-limits.ts";

const mib = 1024 * 1024;

test.each<[OutboundMedia, string, number]>([
  ["image", "image/jpeg", 5 * mib],
  ["video", "video/mp4", 16 * mib],
  ["audio", "audio/mpeg", 16 * mib],
  ["voice", "audio/ogg; codecs=opus", 16 * mib],
  ["document", "application/x-anything", 100 * mib],
  ["document", "", 1],
  ["sticker", "image/webp", 500 * 1024],
])("%s of %p may be as large as WhatsApp takes: %d bytes, and no larger", (media, type, most) => {
  expect(checkMedia(media, type, most)).toBeNull();
  const larger = 100 * mib + 1;
  expect(checkMedia(media, type, larger)).toMatchObject({ retry: "no", code: "media_too_large" });
  if (most > 1) expect(checkMedia(media, type, most + 1)).not.toBeNull();
});

test.each<[OutboundMedia, string, number, string]>([
  ["image", "image/png", 0, "The image file is empty."],
  ["image", "image/png", 7.5 * mib, "has 7.5 MB, WhatsApp takes at most 5 MB"],
  ["sticker", "image/webp", 600 * 1024, "has 0.6 MB, WhatsApp takes at most 500 KB"],
  ["voice", "audio/wav", 1, "takes no audio/wav as voice, only audio/aac, audio/amr"],
  ["video", "", 1, "takes no untyped as video, only video/mp4, video/3gpp"],
])("%s of %p and %d bytes is told what is wrong", (media, type, size, words) => {
  expect(checkMedia(media, type, size)?.hint).toContain(words);
});

test.each([
  ["audio/ogg; codecs=opus", "audio/ogg"],
  [" Image/PNG ;q=1", "image/png"],
  ["", ""],
])("%p is of type %p", (mimeType, type) => {
  expect(bareType(mimeType)).toBe(type);
});
