import { describe, expect, test } from "bun:test";
import { messageItem, messagesBody, onlyMessage } from "./bodies.ts";

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
