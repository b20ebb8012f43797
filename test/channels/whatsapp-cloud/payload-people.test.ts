import { describe, expect, test } from "bun:test";
import { ada, messagesBody, onlyMessage, parse, reasons, sender, textItem } from "./bodies.ts";

describe("senders", () => {
  const nobody = { phone: null, userId: null, lid: null, username: null, name: null };
  const rows: [string, Record<string, unknown>, unknown[], object][] = [
    ["phone only", { from: "16505551234" }, [], { ...nobody, phone: "+16505551234" }],
    ["phone with plus", { from: "+1 650 555 1234" }, [], { ...nobody, phone: "+16505551234" }],
    [
      "both in the message",
      { from: "16505551234", from_user_id: "US.1" },
      [],
      { ...nobody, phone: "+16505551234", userId: "US.1" },
    ],
    [
      "BSUID only, from absent",
      { from: undefined, from_user_id: ada.user_id },
      [{ ...ada, wa_id: undefined }],
      { ...sender, phone: null },
    ],
    [
      "BSUID only, from empty",
      { from: "", from_user_id: ada.user_id },
      [{ ...ada, wa_id: "" }],
      { ...sender, phone: null },
    ],
    [
      "BSUID in the contact only",
      { from: undefined },
      [{ ...ada, wa_id: undefined }],
      { ...sender, phone: null },
    ],
    [
      "parent BSUID in the message",
      { from_user_id: "US.1", from_parent_user_id: "US.ENT.1" },
      [],
      { ...nobody, phone: "+16505551234", userId: "US.1", parentUserId: "US.ENT.1" },
    ],
    [
      "parent BSUID in the contact only",
      {},
      [{ ...ada, parent_user_id: "US.ENT.1" }],
      { ...sender, parentUserId: "US.ENT.1" },
    ],
    ["BSUID standing in from", { from: "US.1" }, [], { ...nobody, userId: "US.1" }],
    [
      "number by way of the BSUID's contact",
      { from: "", from_user_id: ada.user_id },
      [ada],
      sender,
    ],
    [
      "contact without ids",
      {},
      [{ profile: { name: "Ada" } }],
      { ...nobody, phone: "+16505551234", name: "Ada" },
    ],
    [
      "contact without ids, of a BSUID",
      { from: undefined, from_user_id: "US.1" },
      [{ profile: { name: "Ada" } }],
      { ...nobody, userId: "US.1", name: "Ada" },
    ],
    [
      "contact with a number alone, of a BSUID",
      { from: undefined, from_user_id: "US.1" },
      [{ wa_id: "16505551234" }],
      { ...nobody, phone: "+16505551234", userId: "US.1" },
    ],
    [
      "a profile of nothing",
      {},
      [{ ...ada, profile: {} }],
      { ...sender, username: null, name: null },
    ],
    ["the first of two of one number", {}, [ada, { ...ada, profile: { name: "Eve" } }], sender],
    [
      "the first of two of one BSUID",
      { from: undefined, from_user_id: ada.user_id },
      [ada, { ...ada, profile: { name: "Eve" } }],
      sender,
    ],
    ["the one of two that fits", {}, [{ wa_id: "49301", profile: { name: "Eve" } }, ada], sender],
    [
      "a contact that contradicts",
      {},
      [{ wa_id: "49301234", user_id: "DE.2", profile: { name: "Eve" } }],
      { ...nobody, phone: "+16505551234" },
    ],
    [
      "none of two, where neither can be told to be the sender",
      {},
      [
        { user_id: "US.1", profile: { name: "Eve" } },
        { user_id: "US.2", profile: { name: "Bob" } },
      ],
      { ...nobody, phone: "+16505551234" },
    ],
    ["the one that is no nonsense", {}, [7, null, "x", ada], sender],
    [
      "another's BSUID",
      { from_user_id: "US.9" },
      [{ user_id: "US.1", profile: { name: "Eve" } }],
      { ...nobody, phone: "+16505551234", userId: "US.9" },
    ],
    ...["US.1 or 2", "(US.1", "US.1)", "U".repeat(161)].map((id): (typeof rows)[number] => [
      `no BSUID: ${id}`,
      { from_user_id: id },
      [],
      { ...nobody, phone: "+16505551234" },
    ]),
  ];
  test.each(rows)("%s", (_name, item, contacts, expected) => {
    const message = onlyMessage(messagesBody([textItem("Hi", item)], { contacts }));
    expect(message.sender).toEqual(expected as never);
  });

  const strangers: [string, object, object[], (string | null)[][]][] = [
    [
      "a number",
      { wa_id: "16505551234" },
      [{ from: "16505551234" }, { from_user_id: "US.9" }],
      [
        ["+16505551234", null],
        [null, "US.9"],
      ],
    ],
    [
      "a BSUID",
      { user_id: "US.1" },
      [{ from_user_id: "US.1" }, { from: "16505559999" }],
      [
        [null, "US.1"],
        ["+16505559999", null],
      ],
    ],
    [
      "both",
      ada,
      [{ from: "16505551234" }, { from_user_id: "US.9" }],
      [
        ["+16505551234", ada.user_id],
        [null, "US.9"],
      ],
    ],
    [
      "a number, beside two BSUIDs",
      { wa_id: "16505551234" },
      [{ from_user_id: "US.1" }, { from_user_id: "US.9" }],
      [
        [null, "US.1"],
        [null, "US.9"],
      ],
    ],
    [
      "a number, of one BSUID",
      { wa_id: "16505551234" },
      [{ from_user_id: "US.1" }, { from_user_id: "US.1" }],
      [
        ["+16505551234", "US.1"],
        ["+16505551234", "US.1"],
      ],
    ],
    [
      "both, of one",
      ada,
      [{ from: "16505551234" }, { from: "16505551234" }],
      [
        ["+16505551234", ada.user_id],
        ["+16505551234", ada.user_id],
      ],
    ],
  ];
  test.each(strangers)(
    "a single contact with %s makes nobody else its own",
    (_, contact, from, people) => {
      const items = from.map((one) => textItem("Hi", { from: undefined, ...one }));
      const events = parse(messagesBody(items, { contacts: [contact] }));
      expect(
        events.map((event) =>
          event.kind === "message"
            ? [event.message.sender.phone, event.message.sender.userId]
            : event,
        ),
      ).toEqual(people);
    },
  );

  test("of two messages, one that names nobody is nobody's", () => {
    const items = [textItem("Hi"), textItem("Ho", { from: undefined })];
    const events = parse(messagesBody(items, { contacts: [ada] }));
    expect(events.map((event) => (event.kind === "ignored" ? event.reason : event.kind))).toEqual([
      "message",
      "no_sender",
    ]);
  });

  test("nobody at all", () => {
    for (const from of [undefined, "", "PHONE_NUMBER", null]) {
      expect(reasons(parse(messagesBody([textItem("Hi", { from })], { contacts: [] })))).toEqual([
        "no_sender",
      ]);
    }
  });
});

test("without an id, the same message gets the same one, and another message another", () => {
  const id = (body: string, timestamp?: string) =>
    onlyMessage(
      messagesBody([textItem(body, { id: undefined, ...(timestamp ? { timestamp } : {}) })]),
    ).id;
  expect(id("Hi")).toMatch(/^hash:[0-9a-f]{32}$/);
  expect(id("Hi")).toBe(id("Hi"));
  expect(new Set([id("Hi"), id("Ho"), id("Hi", "1749416384")]).size).toBe(3);
});

test("a number too large to be told from its neighbours is no id", () => {
  const id = (raw: string) =>
    onlyMessage(
      JSON.parse(JSON.stringify(messagesBody([textItem(raw, { id: "ID" })])).replace('"ID"', raw)),
    ).id;
  expect(id("9007199254740991")).toBe("9007199254740991");
  expect(id("9007199254740993")).toMatch(/^hash:/);
  expect(id("9007199254740993")).not.toBe(id("9007199254740992"));
});

test("an id without end is none, and neither is one of spaces", () => {
  const id = (raw: string) => onlyMessage(messagesBody([textItem("Hi", { id: raw })])).id;
  expect(id("w".repeat(512))).toBe("w".repeat(512));
  for (const raw of ["w".repeat(513), " "]) expect(id(raw)).toMatch(/^hash:/);
});

test("messages without an id are told apart by whoever, wherever and whatever they tell", () => {
  const id = (item: Record<string, unknown>) =>
    onlyMessage(messagesBody([textItem("Hi", { id: undefined, ...item })], { contacts: [] })).id;
  const image = (file: string) => ({ type: "image", image: { id: file } });
  const pairs: [name: string, one: Record<string, unknown>, other: Record<string, unknown>][] = [
    ["by number", {}, { from: "16505559999" }],
    [
      "by BSUID",
      { from: undefined, from_user_id: "US.1" },
      { from: undefined, from_user_id: "US.2" },
    ],
    ["by group", { group_id: "g1" }, { group_id: "g2" }],
    ["by type", { type: "image", image: { id: "1" } }, { type: "sticker", sticker: { id: "1" } }],
    ["by what they reply to", { context: { id: "wamid.1" } }, { context: { id: "wamid.2" } }],
    ["by file", image("1"), image("2")],
    ["by time", { timestamp: "1749416383" }, { timestamp: "1749416384" }],
  ];
  for (const [name, one, other] of pairs) {
    expect([name, id(one) === id(other), id(one) === id(one)]).toEqual([name, false, true]);
  }
});
