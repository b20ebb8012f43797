import { expect, test } from "bun:test";
import type { TurnAttachment, TurnMessage } from "../../src/agent/agent.ts";
import { promptText } from "../../src/agent/prompt.ts";
import { message } from "./turn.ts";

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

test.each(lines)("%s", (_, changes, line) => {
  expect(promptText(message(changes), "direct")).toBe(line);
});
