import { describe, expect, test } from "bun:test";
import { messageItem, messagesBody, parse, sender } from "./bodies.ts";

describe("what starts no turn", () => {
  const target = { kind: "reaction", targetId: "wamid.T", sender };
  const rows: [string, Record<string, unknown>, object][] = [
    [
      "reaction",
      { type: "reaction", reaction: { message_id: "wamid.T", emoji: "👍" } },
      { ...target, emoji: "👍" },
    ],
    [
      "reaction taken back",
      { type: "reaction", reaction: { message_id: "wamid.T", emoji: "" } },
      { ...target, emoji: null },
    ],
    [
      "reaction taken back, no emoji",
      { type: "reaction", reaction: { message_id: "wamid.T" } },
      { ...target, emoji: null },
    ],
    [
      "revoke",
      { type: "revoke", revoke: { original_message_id: "wamid.T" } },
      { ...target, kind: "revoke" },
    ],
    [
      "edit",
      {
        type: "edit",
        edit: { original_message_id: "wamid.T", message: { type: "text", text: { body: "New" } } },
      },
      { ...target, kind: "edit", text: "New", at: 1_749_416_383 },
    ],
    [
      "edit of a caption",
      {
        type: "edit",
        edit: {
          original_message_id: "wamid.T",
          message: { type: "image", image: { id: "1", caption: "New" } },
        },
      },
      { ...target, kind: "edit", text: "New", at: 1_749_416_383 },
    ],
    [
      "edit to nothing that can be read",
      { type: "edit", edit: { original_message_id: "wamid.T", message: { type: "text" } } },
      { ...target, kind: "edit", text: "", at: 1_749_416_383 },
    ],
    [
      "edit to no message",
      { type: "edit", edit: { original_message_id: "wamid.T" } },
      { kind: "ignored", reason: "malformed" },
    ],
    [
      "edit to a message without a type",
      { type: "edit", edit: { original_message_id: "wamid.T", message: {} } },
      { kind: "ignored", reason: "malformed" },
    ],
    ...["edit", "revoke", "reaction", "button"].flatMap(
      (type): [string, Record<string, unknown>, object][] => [
        [`${type} without content`, { type }, { kind: "ignored", reason: "malformed" }],
        [`${type} that is none`, { type, [type]: 7 }, { kind: "ignored", reason: "malformed" }],
      ],
    ),
    ["revoke of nothing", { type: "revoke", revoke: {} }, { kind: "ignored", reason: "malformed" }],
    [
      "edit that names nothing",
      { type: "edit", edit: { message: { type: "text", text: { body: "New" } } } },
      { kind: "ignored", reason: "malformed" },
    ],
    [
      "reaction to nothing",
      { type: "reaction", reaction: {} },
      { kind: "ignored", reason: "malformed" },
    ],
    ["edit of nothing", { type: "edit", edit: {} }, { kind: "ignored", reason: "malformed" }],
    [
      "unsupported",
      { type: "unsupported", unsupported: { type: "gif" }, errors: [{ code: 131051 }] },
      { kind: "ignored", reason: "unsupported" },
    ],
    [
      "unknown",
      { type: "unknown", errors: [{ code: 131051 }] },
      { kind: "ignored", reason: "unsupported" },
    ],
    [
      "request_welcome",
      { type: "request_welcome" },
      { kind: "ignored", reason: "request_welcome" },
    ],
    [
      "system, other",
      { type: "system", system: { type: "customer_identity_changed" } },
      { kind: "ignored", reason: "system" },
    ],
    ["text without body", { type: "text", text: {} }, { kind: "ignored", reason: "malformed" }],
    [
      "text that is null",
      { type: "text", text: { body: null } },
      { kind: "ignored", reason: "malformed" },
    ],
    [
      "blank text",
      { type: "text", text: { body: " \n" } },
      { kind: "ignored", reason: "empty_text" },
    ],
    [
      "a place beyond all numbers",
      // What JSON.parse makes of 1e999.
      { type: "location", location: { latitude: Infinity, longitude: 2 } },
      { kind: "ignored", reason: "malformed" },
    ],
    ["image without image", { type: "image" }, { kind: "ignored", reason: "malformed" }],
    ["neither type nor content", {}, { kind: "ignored", reason: "malformed" }],
  ];
  test.each(rows)("%s", (_name, item, expected) => {
    const events = parse(messagesBody([messageItem(item)]));
    expect(events).toEqual([expected === target ? target : expected] as never);
  });
});
