import { describe, expect, test } from "bun:test";
import { ownNumberIn } from "../../../src/channels/whatsapp-cloud/payload.ts";
import {
  ada,
  changeBody,
  messageItem,
  messagesBody,
  onlyMessage,
  parse,
  phoneNumberId,
  reasons,
  textItem,
} from "./bodies.ts";

describe("envelopes", () => {
  const hi = textItem("Hi");
  const rows: [string, unknown, string[]][] = [
    ["null", null, ["unknown_shape"]],
    ["text", "x", ["unknown_shape"]],
    ["a list", [], ["unknown_shape"]],
    ["an empty object", {}, ["unknown_shape"]],
    ["another product", { object: "page", entry: [] }, ["unknown_shape"]],
    ["entry is no list", { entry: "x" }, ["unknown_shape"]],
    ["no entries", { entry: [] }, []],
    [
      "entries without changes",
      { entry: [{}, 1, null, { changes: 7 }] },
      ["unknown_shape", "unknown_shape", "unknown_shape", "unknown_shape"],
    ],
    [
      "a change without value",
      { entry: [{ changes: [{ field: "messages" }, null] }] },
      ["unknown_shape", "unknown_shape"],
    ],
    [
      "no field, no object",
      {
        entry: [
          {
            changes: [{ value: { metadata: { phone_number_id: phoneNumberId }, messages: [hi] } }],
          },
        ],
      },
      ["message"],
    ],
    [
      "the number as a number",
      {
        entry: [
          {
            changes: [
              { value: { metadata: { phone_number_id: Number(phoneNumberId) }, messages: [hi] } },
            ],
          },
        ],
      },
      ["message"],
    ],
    [
      "another number",
      { entry: [{ changes: [{ value: { metadata: { phone_number_id: "1" }, messages: [hi] } }] }] },
      ["other_number"],
    ],
    [
      "a number's id that cannot be told from others",
      {
        entry: [
          { changes: [{ value: { metadata: { phone_number_id: 2 ** 60 }, messages: [hi] } }] },
        ],
      },
      ["other_number"],
    ],
    ["no number", { entry: [{ changes: [{ value: { messages: [hi] } }] }] }, ["message"]],
    ["messages are no list", messagesBody([], { messages: "x" }), ["malformed"]],
    ["messages null", messagesBody([], { messages: null }), []],
    [
      "a message beside lists that are none",
      messagesBody([hi], { contacts: 7, statuses: {}, message_echoes: 7, calls: {}, errors: "x" }),
      ["malformed", "message"],
    ],
    ["messages beside user ids", changeBody("user_id_update", { messages: [hi] }), []],
    ["user ids that are no list", changeBody("user_id_update", { user_id_update: {} }), []],
    [
      "the neighbours of a malformed message",
      messagesBody([1, hi, null, {}, { ...hi, id: "wamid.B" }]),
      ["malformed", "message", "malformed", "malformed", "message"],
    ],
    [
      "an echo among messages",
      messagesBody([hi], { message_echoes: [{}], calls: [{}], errors: [{ code: 131000 }] }),
      ["message", "echo", "call", "platform_error"],
    ],
    [
      "field smb_message_echoes",
      changeBody("smb_message_echoes", { message_echoes: [hi] }),
      ["echo"],
    ],
    [
      "field history",
      changeBody("history", { history: [{ threads: [{ messages: [hi] }] }] }),
      ["history"],
    ],
    [
      "field history with messages",
      changeBody("history", { messages: [hi], contacts: [ada] }),
      ["history"],
    ],
    ["field calls", changeBody("calls", { calls: [{}] }), ["call"]],
    [
      "field statuses carrying messages",
      changeBody("statuses", { messages: [hi] }),
      ["unknown_field"],
    ],
    [
      "an account field",
      { entry: [{ changes: [{ field: "account_update", value: { event: "DELETED" } }] }] },
      ["account_event"],
    ],
    [
      "a template field",
      { entry: [{ changes: [{ field: "message_template_status_update", value: {} }] }] },
      ["template_event"],
    ],
    ["a group field", changeBody("group_lifecycle_update", {}), ["group_event"]],
  ];
  test.each(rows)("%s", (_name, body, expected) => {
    expect(reasons(parse(body))).toEqual(expected);
  });

  test("every entry, every change, in order", () => {
    const one = messagesBody([textItem("1", { id: "1" }), textItem("2", { id: "2" })]);
    const two = messagesBody([textItem("3", { id: "3" })]);
    const body = { entry: [...(one["entry"] as unknown[]), ...(two["entry"] as unknown[])] };
    expect(parse(body).map((it) => (it.kind === "message" ? it.message.text : ""))).toEqual([
      "1",
      "2",
      "3",
    ]);
  });

  test("names of the prototype are ordinary types", () => {
    for (const type of ["__proto__", "constructor", "toString"]) {
      expect(onlyMessage(messagesBody([messageItem({ type })])).type).toBe(type);
    }
  });

  test("as many contacts as messages cost no more than their number", () => {
    const numbers = Array.from({ length: 15_000 }, (_, at) => String(49_300_000_000 + at));
    const body = messagesBody(
      numbers.map((from) => textItem("Hi", { from, id: from })),
      { contacts: numbers.map((wa_id) => ({ wa_id, profile: { name: wa_id } })) },
    );
    const start = performance.now();
    const last = parse(body).at(-1);
    expect(last).toMatchObject({ message: { sender: { name: "49300014999" } } } as never);
    // Each against each would take ten seconds and more.
    expect(performance.now() - start).toBeLessThan(3_000);
  });

  test("a flood of malformed items is bounded, and costs no message", () => {
    const events = parse(messagesBody([...Array.from({ length: 5000 }, () => ({})), hi]));
    expect(events).toHaveLength(1001);
    expect(events.at(-1)?.kind).toBe("message");
  });
});

test("the own number", () => {
  expect(ownNumberIn(messagesBody([]), phoneNumberId)).toBe("+15550783881");
  expect(ownNumberIn(messagesBody([]), "1")).toBeNull();
  expect(ownNumberIn({ entry: [{}, { changes: [{}, null] }] }, phoneNumberId)).toBeNull();
  expect(ownNumberIn("?", phoneNumberId)).toBeNull();
  const unnamed = { metadata: { phone_number_id: phoneNumberId } };
  expect(ownNumberIn(messagesBody([], unnamed), phoneNumberId)).toBeNull();
});
