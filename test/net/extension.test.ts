import { expect, test } from "bun:test";
import { extensionOf } from "../../src/net/extension.ts";

test.each([
  ["image/jpeg", "jpg"],
  ["audio/ogg; codecs=opus", "ogg"],
  [" Audio/MPEG ", "mp3"],
  ["application/octet-stream", null],
  ["toString", null],
  ["", null],
])("%p ends in %p", (mimeType, extension) => {
  expect(extensionOf(mimeType)).toBe(extension);
});
