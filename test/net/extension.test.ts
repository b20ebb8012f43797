import { expect, test } from "bun:test";
import { extensionOf, typeOfName } from "../../src/net/extension.ts";

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

test.each([
  ["a.b.JPG", "image/jpeg"],
  ["note.ogg", "audio/ogg"],
  ["note.m4a", "audio/mp4"],
  ["note.", null],
  ["ogg", null],
  ["x.toString", null],
])("%p is of type %p", (name, mimeType) => {
  expect(typeOfName(name)).toBe(mimeType);
});
