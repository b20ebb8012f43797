import { describe, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { encodeTurn, parseAnswer } from "../../src/agent/protocol.ts";
import { turn } from "../support/turn.ts";

const parse = (value: unknown) => parseAnswer(new TextEncoder().encode(JSON.stringify(value)));
const media = { caption: null, filename: null };

test("a turn is encoded as the protocol spells it", () => {
  const request = turn({ history: [{ role: "user", text: "before" }] });
  expect(JSON.parse(encodeTurn(request))).toEqual(request);
  expect("system_prompt" in JSON.parse(encodeTurn(request))).toBe(false);
});

test("a turn holds no half of a character, which many readers of JSON refuse", () => {
  const request = turn({ history: [{ role: "user", text: "before \ud83d" }] });
  expect(encodeTurn(request)).not.toContain("\\ud83d");
  expect(JSON.parse(encodeTurn(request)).history[0].text).toBe("before \ufffd");
});

test.each([
  ["a text", { text: "hi" }, [{ kind: "text", text: "hi" }]],
  ["a text that says nothing", { text: " \n" }, []],
  ["no messages", { messages: [] }, []],
  ["a message that says nothing", { messages: [{ text: "" }] }, []],
  [
    "the contract's example",
    { messages: [{ text: "a" }, { audio_path: "/a.ogg" }, { reaction: "👍" }] },
    [
      { kind: "text", text: "a" },
      { kind: "media", media: "audio", path: "/a.ogg", ...media },
      { kind: "reaction", emoji: "👍" },
    ],
  ],
  [
    "files with caption and name",
    {
      messages: [
        { image_path: "/i.png", caption: "see" },
        { video_path: "/v.mp4" },
        { document_path: "/d.pdf", filename: "bill.pdf" },
      ],
    },
    [
      { kind: "media", media: "image", path: "/i.png", caption: "see", filename: null },
      { kind: "media", media: "video", path: "/v.mp4", ...media },
      { kind: "media", media: "document", path: "/d.pdf", caption: null, filename: "bill.pdf" },
    ],
  ],
  [
    "whole objects with null for what is absent",
    {
      text: null,
      messages: [{ text: "a", audio_path: null, caption: null }],
      usage: { tokens: 1 },
    },
    [{ kind: "text", text: "a" }],
  ],
  ["a text beside no messages", { text: "a", messages: [] }, [{ kind: "text", text: "a" }]],
  [
    "whole objects with nothing in what is absent",
    { text: "", messages: [{ text: "a", audio_path: "", reaction: "", reply_to: "" }] },
    [{ kind: "text", text: "a" }],
  ],
  [
    "a file beside an empty text",
    { messages: [{ text: "", image_path: "/i.png", caption: "" }] },
    [{ kind: "media", media: "image", path: "/i.png", ...media }],
  ],
  [
    "a text that quotes a message",
    { messages: [{ text: "a", reply_to: "wamid.1" }] },
    [{ kind: "text", text: "a", replyTo: "wamid.1" }],
  ],
  [
    "the withdrawal of a reaction",
    { messages: [{ reaction: "" }] },
    [{ kind: "reaction", emoji: "" }],
  ],
])("%s", (_, answer, parts) => {
  expect(parse(answer)).toEqual({ parts } as never);
});

describe("is no answer", () => {
  test.each<[string, unknown]>([
    ["an empty object", {}],
    ["null", null],
    ["a bare string", "secret words"],
    ["a list", [{ text: "secret words" }]],
    ["text that is a number", { text: 5 }],
    ["both forms", { text: "secret words", messages: [{ text: "secret words" }] }],
    ["messages that are no list", { messages: { text: "secret words" } }],
    ["a message with two kinds", { messages: [{ text: "secret words", reaction: "👍" }] }],
    ["a message with none", { messages: [{ caption: "secret words" }] }],
    ["two kinds with nothing in them", { messages: [{ text: "", reaction: "" }] }],
    ["an empty path", { messages: [{ image_path: "" }] }],
    ["a path with NUL", { messages: [{ image_path: "/secret words\0" }] }],
    ["51 messages", { messages: Array.from({ length: 51 }, () => ({ text: "secret words" })) }],
    ["a text over 256 KiB", { text: "secret words".repeat(22_000) }],
    ["a reaction that is a sentence", { messages: [{ reaction: "secret words".repeat(6) }] }],
  ])("%s", (_, answer) => {
    const failed = caught(() => parse(answer));
    expect(failed).toBeInstanceOf(AgentError);
    expect(failed).toMatchObject({ retryable: true });
    expect(String(failed)).not.toContain("secret words");
  });

  test.each([
    ["not JSON", "secret words"],
    ["nothing", ""],
    ["bytes that are no UTF-8", new Uint8Array([0x22, 0xff, 0x22])],
  ])("%s", (_, body) => {
    const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const failed = caught(() => parseAnswer(bytes));
    expect(failed).toMatchObject({
      detail: `the agent's answer cannot be used: its ${bytes.length} bytes are not JSON`,
    });
  });

  test("what is wrong is named by its place", () => {
    expect(caught(() => parse({ messages: [{ text: "a" }, { text: 5 }] }))).toMatchObject({
      detail: expect.stringContaining("messages[1].text"),
    });
    for (const [answer, place] of [
      [[], "expected an object, found a list"],
      [{ messages: [[]] }, "messages[0]: expected an object, found a list"],
    ]) {
      expect(caught(() => parse(answer))).toMatchObject({
        detail: `the agent's answer cannot be used: ${String(place)}`,
      });
    }
  });
});

test("50 messages and 256 KiB are still taken", () => {
  expect(parse({ messages: Array.from({ length: 50 }, () => ({ text: "a" })) }).parts).toHaveLength(
    50,
  );
  expect(parse({ text: "a".repeat(256 * 1024) }).parts).toHaveLength(1);
});

function caught(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  throw new Error("nothing was thrown");
}
