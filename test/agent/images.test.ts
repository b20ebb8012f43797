import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TurnAttachment } from "../../src/agent/agent.ts";
import { readImages } from "../../src/agent/images.ts";
import { temporaryFolder } from "../support/store.ts";
import { message } from "../support/turn.ts";

// Which files of a turn a model is shown, and as what.

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

const latin = (text: string) => Buffer.from(text, "latin1");

/** What a file of these bytes is shown as; null where it is not. */
async function shownAs(bytes: Uint8Array, kind: TurnAttachment["kind"] = "image") {
  const path = join(folder.path, "file");
  writeFileSync(path, bytes);
  const attachment = { kind, mime_type: "image/tiff", filename: "a.tiff", size: 1, path };
  const images = await readImages([message({ attachments: [attachment] })]);
  const image = images.get(path);
  if (image) expect(image.data).toEqual(bytes);
  expect(images.size).toBe(image ? 1 : 0);
  return image?.mediaType ?? null;
}

test.each([
  ["image/jpeg", "\xff\xd8\xff\xe0 and so on"],
  ["image/png", "\x89PNG\r\n\x1a\n and so on"],
  ["image/webp", "RIFF\x01\x02\x03\x04WEBPVP8 and so on"],
  ["image/gif", "GIF89a and so on"],
  ["image/gif", "GIF87a and so on"],
] as const)("%s is known by its first bytes, whatever its sender says: %j", async (type, text) => {
  const bytes = latin(text);
  expect(await shownAs(bytes)).toBe(type);
  expect(await shownAs(bytes, "sticker")).toBe(type);
  expect(await shownAs(bytes, "document")).toBeNull();
});

test.each([
  "",
  "\xff\xd8",
  "\xff\xd8\xfe\xe0",
  "\xff\xd9\xff\xe0",
  "\xfe\xd8\xff\xe0",
  "\x88PNG\r\n\x1a\n",
  "\x89PNF\r\n\x1a\n",
  "RIFF\x01\x02\x03\x04WAVEfmt ",
  "RIFX\x01\x02\x03\x04WEBPVP8 ",
  "GIF7",
  "BM and so on",
  "<svg/>",
])("%j is no picture that models take", async (text) => {
  expect(await shownAs(latin(text))).toBeNull();
});
