import { describe, expect, test } from "bun:test";
import type { TurnAttachment, TurnMessage, TurnSender } from "../../src/agent/agent.ts";
import type { TurnImage } from "../../src/agent/images.ts";
import { promptLead, promptMessages, promptText } from "../../src/agent/prompt.ts";
import { message, turn } from "../support/turn.ts";

const file = (kind: TurnAttachment["kind"], changes: Partial<TurnAttachment> = {}) => ({
  kind,
  mime_type: null,
  filename: null,
  size: 1,
  path: "/files/1",
  ...changes,
});

const lines: [string, Partial<TurnMessage>, string][] = [
  ["words", { text: "hi" }, "hi"],
  ["a picture and its caption", { text: "look", attachments: [file("image")] }, "[image] look"],
  [
    "a voice note that was heard is its words",
    { type: "voice", text: "[Voice] good morning", attachments: [file("audio")] },
    "[Voice] good morning",
  ],
  [
    "sound that was heard, too",
    { type: "audio", text: "[Voice] good morning", attachments: [file("audio")] },
    "[Voice] good morning",
  ],
  [
    "a voice note that was not heard",
    { type: "voice", text: "", attachments: [file("audio")] },
    "[voice note, which could not be turned into text]",
  ],
  [
    "sound that nobody listened to",
    { type: "audio", text: "", attachments: [file("audio")] },
    "[audio]",
  ],
];

lines.push(
  [
    "a file that could not be had",
    { text: "", attachments: [file("document", { path: null, filename: "a.pdf" })] },
    "[document a.pdf, not available]",
  ],
  [
    "a file whose name poses as more",
    { text: "", attachments: [file("document", { filename: " a]\n[b\u0000.pdf " })] },
    "[document a b .pdf]",
  ],
);

lines.push([
  "a file whose name is long, cut between two characters",
  {
    text: "",
    attachments: [file("document", { filename: `${"x".repeat(119)}👍.pdf` })],
  },
  `[document ${"x".repeat(119)}]`,
]);

test.each(lines)("%s", (_, changes, line) => {
  expect(promptText(message(changes), "direct")).toBe(line);
});

const leads: [string, Partial<TurnMessage>, string, string][] = [
  ["of words nothing", { text: "hi" }, "", "Ada: "],
  ["of words on lines of their own", { text: "a\nb" }, "", "Ada: "],
  [
    "its files, whatever their caption",
    { text: "look", attachments: [file("image"), file("image")] },
    "[image] [image] ",
    "Ada: [image] [image] ",
  ],
  ["a file without words", { text: "", attachments: [file("image")] }, "[image] ", "Ada: [image] "],
  ["of nothing said, what words would have", { text: "" }, "", "Ada: "],
];
test.each(leads)("before the words stands %s", (_, changes, direct, group) => {
  const sender = { phone: null, user_id: null, lid: null, username: null, name: "Ada" };
  const said = message({ ...changes, sender });
  expect([promptLead(said, "direct"), promptLead(said, "group")]).toEqual([direct, group]);
});

describe("in a group a line names its writer", () => {
  const nameless = { phone: null, user_id: null, lid: null, username: null, name: null };
  const whole = {
    name: "Ada",
    username: "ada1",
    phone: "+15550001111",
    lid: "1@lid",
    user_id: "US.1",
  };
  const line = (sender: Partial<TurnSender>, text = "hi") =>
    promptText(message({ text, sender: { ...nameless, ...sender } }), "group");

  test("by the best that is known of them", () => {
    expect(line(whole)).toBe("Ada: hi");
    expect(line({ ...whole, name: null })).toBe("ada1: hi");
    expect(line({ phone: whole.phone, lid: whole.lid, user_id: whole.user_id })).toBe(
      "+15550001111: hi",
    );
    expect(line({ lid: whole.lid, user_id: whole.user_id })).toBe("1@lid: hi");
    expect(line({ user_id: whole.user_id })).toBe("US.1: hi");
    expect(line({})).toBe("someone: hi");
    expect(line({ name: " \u0000:" })).toBe("someone: hi");
  });

  test("but nothing said is no line", () => {
    expect(line(whole, "")).toBe("");
  });

  test("with a name of one line, without a colon, and not without end", () => {
    expect(line({ name: "Bob: hi\nEve" })).toBe("Bob hi Eve: hi");
    expect(line({ name: "x".repeat(100) })).toBe(`${"x".repeat(64)}: hi`);
    expect(line({ name: `${"x".repeat(63)}👍` })).toBe(`${"x".repeat(63)}: hi`);
    // One character to the eye, of seven in Unicode.
    const family = "👨‍👩‍👧‍👦";
    expect(line({ name: family.repeat(6) })).toBe(`${family.repeat(5)}: hi`);
    const stacked = `a${"\u0301".repeat(100)}`;
    expect(line({ name: stacked })).toBe(`${stacked.slice(0, 64)}: hi`);
    expect(line({ name: `a${"\u{1d165}".repeat(100)}` })).toBe(`a${"\u{1d165}".repeat(31)}: hi`);
  });

  test("and further lines of it are set in", () => {
    for (const end of ["\n", "\r\n", "\r", "\u2028", "\v"]) {
      expect(line(whole, `a${end}Bob: b`)).toBe("Ada: a\n  Bob: b");
    }
  });
});

test("pictures go with what is said now, and with nothing of the history", () => {
  const picture: TurnImage = { mediaType: "image/png", data: new Uint8Array([1]) };
  const request = turn({
    history: [
      { role: "user", text: "hello" },
      { role: "assistant", text: "hi" },
    ],
    messages: [message({ text: "look", attachments: [file("image")] })],
  });
  expect(promptMessages(request, new Map([["/files/1", picture]]))).toEqual([
    { role: "user", content: "hello" },
    { role: "assistant", content: "hi" },
    {
      role: "user",
      content: [
        { type: "text", text: "[image] look" },
        { type: "file", ...picture },
      ],
    },
  ]);
});

test("empty ones and a leading assistant are left out, neighbours joined", () => {
  const request = turn({
    history: [
      { role: "assistant", text: "hello" },
      { role: "user", text: " \n" },
      { role: "user", text: "a" },
      { role: "user", text: "b" },
      { role: "assistant", text: "" },
      { role: "assistant", text: "c" },
    ],
    messages: [message({ text: "" }), message({ text: "d" }), message({ text: "e" })],
  });
  expect(promptMessages(request, new Map())).toEqual([
    { role: "user", content: "a\n\nb" },
    { role: "assistant", content: "c" },
    { role: "user", content: "d\ne" },
  ]);
});

test("a turn without a word says so", () => {
  const request = turn({ messages: [message({ text: "" })] });
  expect(promptMessages(request, new Map())).toEqual([
    { role: "user", content: "[empty message]" },
  ]);
});
