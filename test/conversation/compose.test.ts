import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AgentPart } from "../../src/agent/agent.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { fakeChannel } from "../support/channel.ts";
import { png } from "../support/png.ts";
import { storeTrial } from "../support/store-trial.ts";
import { message, turn } from "../support/turn.ts";

// An agent's answer, cut into what a platform takes.

const trial = storeTrial();

const asked = (id: string) => message({ id });

/** What becomes of these parts where a text is cut at each bar. */
function compose(parts: AgentPart[], messages = [asked("first"), asked("last")]) {
  const mediaDir = join(trial.folder, "outgoing");
  mkdirSync(mediaDir, { recursive: true });
  writeFileSync(join(mediaDir, "photo.png"), png);
  const composer = replyComposer({
    mediaFolder: join(trial.folder, "media"),
    mediaDir,
    keep: async () => {},
  });
  const channel = fakeChannel({ renderText: (text) => text.split("|").filter(Boolean) });
  return composer(channel, turn({ messages }), { messageId: 7 }, parts);
}
const photo = (caption: string | null): AgentPart => ({
  kind: "media",
  media: "image",
  path: join(trial.folder, "outgoing", "photo.png"),
  caption,
  filename: null,
});

test("a long text quotes once, at its beginning", async () => {
  expect(await compose([{ kind: "text", text: "one|two", replyTo: "wamid.1" }])).toEqual([
    { kind: "text", text: "one", quote: "wamid.1" },
    { kind: "text", text: "two", quote: null },
  ]);
});

test("text that is no Markdown goes as it is, split like any other", async () => {
  const text = `*so|${"x".repeat(5000)}`;
  const contents = await compose([{ kind: "text", text, verbatim: true }]);
  expect(contents).toEqual([
    { kind: "text", text: `*so|${"x".repeat(4092)}`, quote: null },
    { kind: "text", text: "x".repeat(908), quote: null },
  ]);
});

test("a reaction is to the last message of the turn", async () => {
  expect(await compose([{ kind: "reaction", emoji: "👍" }])).toEqual([
    { kind: "reaction", targetId: "last", emoji: "👍" },
  ]);
});

test("a caption that is cut follows its picture as text, whole and in order", async () => {
  const contents = await compose([photo("one|two"), { kind: "text", text: "after" }]);
  expect(contents).toMatchObject([
    { kind: "media", caption: null },
    { kind: "text", text: "one", quote: null },
    { kind: "text", text: "two", quote: null },
    { kind: "text", text: "after" },
  ]);
});

test("half a letter is none that a platform reads, in a text or a caption", async () => {
  const text = "good night \ud83c";
  const parts: AgentPart[] = [
    photo(text),
    { kind: "text", text },
    { kind: "text", text, verbatim: true },
  ];
  expect(await compose(parts)).toMatchObject([
    { kind: "media", caption: "good night \ufffd" },
    { kind: "text", text: "good night \ufffd" },
    { kind: "text", text: "good night \ufffd" },
  ]);
});

test.each([null, "", "|"])(
  "a picture with the caption %p has none, and no text follows",
  async (caption) => {
    expect(await compose([photo(caption)])).toMatchObject([{ kind: "media", caption: null }]);
  },
);

test("a caption of 1024 characters stays with its picture, and a longer one does not", async () => {
  const longest = "x".repeat(1024);
  expect(await compose([photo(longest)])).toMatchObject([{ caption: longest }]);
  expect(await compose([photo(`${longest}y`)])).toMatchObject([
    { kind: "media", caption: null },
    { kind: "text", text: `${longest}y` },
  ]);
});
