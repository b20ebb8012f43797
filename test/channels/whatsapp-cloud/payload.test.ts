import { describe, expect, test } from "bun:test";
import type { Message } from "../../../src/channels/message.ts";
import { ownNumberIn } from "../../../src/channels/whatsapp-cloud/payload.ts";
import {
  ada,
  changeBody,
  messageItem,
  messagesBody,
  now,
  onlyMessage,
  parse,
  phoneNumberId,
  reasons,
  sender,
  textItem,
} from "./bodies.ts";

test("a text message, whole", () => {
  expect(parse(messagesBody([textItem("Hi there")]))).toEqual([
    {
      kind: "message",
      message: {
        id: "wamid.A",
        chat: { kind: "direct" },
        sender,
        type: "text",
        text: "Hi there",
        timestamp: 1749416383,
        replyTo: null,
        forwarded: false,
        attachments: [],
        fromMe: false,
        mentionsMe: false,
        backlog: false,
      },
    },
  ]);
});

describe("types and their text", () => {
  const rows: [string, Record<string, unknown>, { type?: string; text: string }][] = [
    [
      "image with caption",
      { type: "image", image: { id: "1", caption: "Look" } },
      { text: "Look" },
    ],
    ["image without", { type: "image", image: { id: "1" } }, { text: "" }],
    ["video", { type: "video", video: { id: "1", caption: "See" } }, { text: "See" }],
    ["audio", { type: "audio", audio: { id: "1", voice: false } }, { text: "" }],
    ["voice note", { type: "audio", audio: { id: "1", voice: true } }, { type: "voice", text: "" }],
    ["voice note of old", { type: "voice", voice: { id: "1" } }, { type: "voice", text: "" }],
    [
      "document",
      { type: "document", document: { id: "1", filename: "a.pdf", caption: "Read" } },
      { text: "Read" },
    ],
    [
      "document without caption",
      { type: "document", document: { id: "1", filename: "a.pdf" } },
      { text: "a.pdf" },
    ],
    ["sticker", { type: "sticker", sticker: { id: "1", animated: true } }, { text: "" }],
    ["image with a name", { type: "image", image: { id: "1", filename: "a.jpg" } }, { text: "" }],
    ["button without a title", { type: "button", button: { payload: "y" } }, { text: "y" }],
    ["button without anything", { type: "button", button: {} }, { text: "" }],
    ["template button", { type: "button", button: { text: "Yes", payload: "y" } }, { text: "Yes" }],
    [
      "button tap",
      {
        type: "interactive",
        interactive: { type: "button_reply", button_reply: { id: "b", title: "Go" } },
      },
      { text: "Go" },
    ],
    [
      "list tap",
      {
        type: "interactive",
        interactive: {
          type: "list_reply",
          list_reply: { id: "r", title: "Row", description: "d" },
        },
      },
      { text: "Row" },
    ],
    [
      "form",
      {
        type: "interactive",
        interactive: {
          type: "nfm_reply",
          nfm_reply: { body: "Sent", name: "flow", response_json: "{}" },
        },
      },
      { text: "Sent" },
    ],
    [
      "form without body",
      {
        type: "interactive",
        interactive: { type: "nfm_reply", nfm_reply: { name: "flow", response_json: '{"a":\n1}' } },
      },
      { text: '[Form] flow {"a": 1}' },
    ],
    [
      "call permission",
      {
        type: "interactive",
        interactive: {
          type: "call_permission_reply",
          call_permission_reply: { response: "accept" },
        },
      },
      { text: "[Call permission] accept" },
    ],
    [
      "another tap",
      { type: "interactive", interactive: { type: "payment_method" } },
      { text: "[Interactive answer] payment_method" },
    ],
    [
      "a tap without content",
      { type: "interactive" },
      { text: "[Interactive answer without content]" },
    ],
    [
      "place",
      { type: "location", location: { latitude: 37.46, longitude: -122.21 } },
      { text: "[Location] (37.46, -122.21)" },
    ],
    [
      "named place",
      {
        type: "location",
        location: {
          latitude: 1,
          longitude: 2,
          name: "HQ",
          address: "1 Way\nTown",
          url: "https://m.example",
        },
      },
      { text: "[Location] HQ, 1 Way Town (1, 2) https://m.example" },
    ],
    [
      "contacts",
      {
        type: "contacts",
        contacts: [
          { name: { formatted_name: "Bob" }, phones: [{ phone: "+1 555" }] },
          { name: { first_name: "Eve" } },
        ],
      },
      { text: "[Contacts] Bob (+1 555); Eve" },
    ],
    [
      "order",
      {
        type: "order",
        order: {
          catalog_id: "c",
          text: "",
          product_items: [
            { product_retailer_id: "SKU", quantity: 2, item_price: 30, currency: "EUR" },
            { product_retailer_id: "S2", quantity: "1" },
          ],
        },
      },
      { text: "[Order] 2 × SKU at 30 EUR, 1 × S2" },
    ],
    [
      "order with text",
      {
        type: "order",
        order: { text: "Quick!", product_items: [{ product_retailer_id: "SKU", quantity: 1 }] },
      },
      { text: "Quick! [Order] 1 × SKU" },
    ],
    [
      "a type of tomorrow",
      { type: "poll_vote", poll_vote: {} },
      { text: '[Message of type "poll_vote", which cannot be shown here]' },
    ],
    [
      "a type that is none",
      { type: "a b\n<c>" },
      { type: "a_b_c_", text: '[Message of type "a_b_c_", which cannot be shown here]' },
    ],
    ["no type but a text", { text: { body: "Hi" } }, { type: "text", text: "Hi" }],
  ];
  test.each(rows)("%s", (_name, item, expected) => {
    const message = onlyMessage(messagesBody([messageItem(item)]));
    expect({ type: message.type, text: message.text }).toEqual({
      type: expected.type ?? String(item["type"]),
      text: expected.text,
    });
  });
});

test("a file carries what is needed to fetch it", () => {
  const document = { id: "77", mime_type: "application/pdf", sha256: "x", filename: "a.pdf" };
  expect(
    onlyMessage(messagesBody([messageItem({ type: "document", document })])).attachments,
  ).toEqual([
    {
      kind: "document",
      mimeType: "application/pdf",
      filename: "a.pdf",
      size: null,
      durationSecs: null,
      source: { id: "77", url: null },
    },
  ]);
});

test("a file may be named by its id or its address alone; one that is not named is none", () => {
  const bare = {
    kind: "image",
    mimeType: null,
    filename: null,
    size: null,
    durationSecs: null,
  };
  const files = (image: object) =>
    onlyMessage(messagesBody([messageItem({ type: "image", image })])).attachments;
  const url = "https://lookaside.fbsbx.com/a";
  expect(files({ id: "77" })).toEqual([{ ...bare, source: { id: "77", url: null } } as never]);
  expect(files({ url })).toEqual([{ ...bare, source: { id: null, url } } as never]);
  expect(files({ caption: "Look" })).toEqual([]);
});

describe("context", () => {
  const rows: [string, Record<string, unknown>, Partial<Message>][] = [
    [
      "a reply",
      { context: { from: "15550783881", id: "wamid.Q" } },
      { replyTo: "wamid.Q", mentionsMe: true, fromMe: false },
    ],
    [
      "a reply to oneself",
      { context: { from: "16505551234", id: "wamid.Q" } },
      { replyTo: "wamid.Q", mentionsMe: false, fromMe: false },
    ],
    ["forwarded", { context: { forwarded: true } }, { forwarded: true, replyTo: null }],
    ["forwarded often", { context: { frequently_forwarded: true } }, { forwarded: true }],
    ["a broken context", { context: "?" }, { replyTo: null, forwarded: false, text: "Hi" }],
    ["a group", { group_id: "group-1" }, { chat: { kind: "group", id: "group-1" } }],
    ["a referral", { referral: { source_url: "https://fb.me/x", headline: "Ad" } }, { text: "Hi" }],
    ["written by the business itself", { from: "15550783881" }, { fromMe: true }],
  ];
  test.each(rows)("%s", (_name, item, expected) => {
    expect(onlyMessage(messagesBody([textItem("Hi", item)]))).toMatchObject(expected as never);
  });

  test.each([
    ["1749416383", 1749416383],
    [1749416383, 1749416383],
    ["1749416383.9", 1749416383],
    ["not_a_number", now / 1000],
    [undefined, now / 1000],
    ["", now / 1000],
    [-5, now / 1000],
    ["1749416383000", now / 1000],
    [{}, now / 1000],
  ])("timestamp %p", (timestamp, expected) => {
    expect(onlyMessage(messagesBody([textItem("Hi", { timestamp })])).timestamp).toBe(expected);
  });
});

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
      { ...target, kind: "edit", text: "New" },
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
      { ...target, kind: "edit", text: "New" },
    ],
    [
      "edit to nothing that can be read",
      { type: "edit", edit: { original_message_id: "wamid.T", message: { type: "text" } } },
      { ...target, kind: "edit", text: "" },
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

describe("statuses", () => {
  const status = (item: object) =>
    parse(messagesBody([], { statuses: [{ id: "wamid.S", timestamp: "1749416383", ...item }] }));

  test.each(["sent", "delivered", "read", "played"])("%s", (state) => {
    expect(status({ status: state, biz_opaque_callback_data: "delivery-1" })).toEqual([
      {
        kind: "status",
        status: {
          platformId: "wamid.S",
          deliveryId: "delivery-1",
          state,
          timestamp: 1749416383,
          failure: null,
        },
      },
    ] as never);
  });

  test("failed, with Meta's reason", () => {
    const errors = [
      { code: 131047, title: "Re-engagement message", error_data: { details: "24 hours" } },
    ];
    const [event] = status({ status: "failed", errors });
    expect(event).toMatchObject({
      status: { deliveryId: null, failure: { retry: "no", code: "131047" } },
    } as never);
  });

  test.each([[undefined], [[]], ["?"], [[{ code: "x" }]], [[{ code: 2 ** 53 }]]])(
    "failed, with errors %p",
    (errors) => {
      expect(status({ status: "failed", errors })[0]).toMatchObject({
        status: { failure: { retry: "no", code: "failed" } },
      } as never);
    },
  );

  test.each([
    [{ status: "deleted" }, "unknown_status"],
    [{}, "malformed"],
    [{ id: undefined, status: "sent" }, "malformed"],
  ])("%j: %s", (item, reason) => {
    expect(reasons(status(item))).toEqual([reason]);
  });
});

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
    ["an entry without changes", { entry: [{}, 1] }, ["unknown_shape", "unknown_shape"]],
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
    ["no number", { entry: [{ changes: [{ value: { messages: [hi] } }] }] }, ["message"]],
    ["messages are no list", messagesBody([], { messages: "x" }), ["malformed"]],
    ["messages null", messagesBody([], { messages: null }), []],
    [
      "a message beside lists that are none",
      messagesBody([hi], { statuses: {}, message_echoes: 7, calls: {}, errors: "x" }),
      ["malformed", "message"],
    ],
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
  expect(ownNumberIn({ entry: [{}, { changes: [{}] }] }, phoneNumberId)).toBeNull();
  expect(ownNumberIn("?", phoneNumberId)).toBeNull();
  const unnamed = { metadata: { phone_number_id: phoneNumberId } };
  expect(ownNumberIn(messagesBody([], unnamed), phoneNumberId)).toBeNull();
});
