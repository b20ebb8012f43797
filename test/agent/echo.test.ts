import { expect, test } from "bun:test";
import { createEchoAgent } from "../../src/agent/echo.ts";
import { message, turn } from "../support/turn.ts";

const photo = {
  kind: "image",
  mime_type: "image/jpeg",
  filename: "photo.jpg",
  size: 3,
  path: "/m/1",
} as const;

test.each([
  ["text as it came", [message({ text: "hi\nthere" })], "hi\nthere"],
  ["several messages, a line each", [message(), message({ text: "you" })], "hi\nyou"],
  ["a picture by its name", [message({ text: "", attachments: [photo] })], "[image photo.jpg]"],
  [
    "a caption before its file",
    [message({ text: "look", attachments: [photo] })],
    "look\n[image photo.jpg]",
  ],
  [
    "a file without a name",
    [message({ text: "", attachments: [{ ...photo, filename: null }] })],
    "[image]",
  ],
  [
    "a file that did not arrive",
    [message({ text: "", attachments: [{ ...photo, path: null, error: "gone" }] })],
    "[image photo.jpg, not available]",
  ],
  [
    "a name on one line",
    [message({ text: "", attachments: [{ ...photo, filename: "a]\n[b" }] })],
    "[image a b]",
  ],
])("%s", async (_, messages, text) => {
  const reply = await createEchoAgent().run(turn({ messages }), new AbortController().signal);
  expect(reply).toEqual({ parts: [{ kind: "text", text, verbatim: true }] });
});

test("nothing to say is no reply", async () => {
  const reply = await createEchoAgent().run(
    turn({ messages: [message({ text: "" })] }),
    new AbortController().signal,
  );
  expect(reply).toEqual({ parts: [] });
});
