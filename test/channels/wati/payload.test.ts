import { describe, expect, test } from "bun:test";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { parseWebhook } from "../../../src/channels/wati/payload.ts";
import { event, messages, now, only } from "./event.ts";

test("a documented message", () => {
  expect(parseWebhook(event(), now)).toEqual([
    {
      kind: "message",
      message: {
        id: "wamid.ONE",
        chat: { kind: "direct" },
        sender: { phone: "+15550001111", userId: null, lid: null, username: null, name: "Ada" },
        type: "text",
        text: "hello",
        timestamp: 1764238453,
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

describe("variants of one message", () => {
  const twins = ["message", "message_v2", "message_bsuid", "messageReceived", "messageReceived_v2"];
  test("carry one id", () => {
    const ids = twins.map((eventType) => only(event({ eventType, bsuid: "US.1" })).id);
    expect(new Set(ids)).toEqual(new Set(["wamid.ONE"]));
  });

  test("may come as a list", () => {
    const list = [event(), event({ whatsappMessageId: "wamid.TWO", text: "again" })];
    expect(messages(list).map((it) => it.text)).toEqual(["hello", "again"]);
  });

  test("that name the BSUID teach who it is, even when the message is a repetition", () => {
    const sender = {
      phone: "+15550001111",
      userId: "US.13491208655302741918",
      lid: null,
      username: "ada",
      name: "Ada",
    };
    const more = { eventType: "message_bsuid", bsuid: "US.13491208655302741918", username: "@ada" };
    const [message, identity] = parseWebhook(event(more), now);
    expect(message).toMatchObject({ kind: "message", message: { sender } });
    expect(identity).toEqual({
      kind: "identity",
      sender,
      previousUserId: null,
      previousPhone: "+15550001111",
    });
  });

  test("may name the parent BSUID", () => {
    const more = { eventType: "message_bsuid", bsuid: "US.1", parentBsuid: "US.ENT.1" };
    expect(only(event(more)).sender).toMatchObject({ userId: "US.1", parentUserId: "US.ENT.1" });
  });

  test("may lack the number", () => {
    const more = { eventType: "message_bsuid", bsuid: "US.1", waId: null };
    expect(parseWebhook(event(more), now)).toMatchObject([
      { kind: "message", message: { sender: { phone: null, userId: "US.1" } } },
    ]);
  });
});

test("a new contact teaches who it is", () => {
  const body = event({ eventType: "newContactMessageReceived", bsuid: "US.1" });
  expect(parseWebhook(body, now)).toMatchObject([
    { kind: "identity", sender: { phone: "+15550001111", userId: "US.1" } },
  ]);
});

test("who wrote may stand in `from` alone", () => {
  const { sender } = only(event({ waId: null, from: "15550002222" }));
  expect(sender.phone).toBe("+15550002222");
});

test("a flag may be text; what says no is no", () => {
  expect(only(event({ owner: "false", forwarded: "true" }))).toMatchObject({ forwarded: true });
  expect(only(event({ owner: "0", forwarded: "false" }))).toMatchObject({ forwarded: false });
});

test("the id: WhatsApp's, else WATI's, else a hash that a repetition has too", () => {
  expect(only(event({ whatsappMessageId: null })).id).toBe("69282478274a880fe782b2d9");
  // What JSON.parse makes of 1e999.
  expect(only(event({ whatsappMessageId: Infinity })).id).toBe("69282478274a880fe782b2d9");
  expect(only(event({ whatsappMessageId: "w".repeat(512) })).id).toBe("w".repeat(512));
  expect(only(event({ whatsappMessageId: "w".repeat(513) })).id).toBe("69282478274a880fe782b2d9");
  const bare = event({ whatsappMessageId: "", id: null });
  const hash = only(bare).id;
  expect(hash).toStartWith("hash:");
  expect(messages([bare, bare]).map((it) => it.id)).toEqual([hash, hash]);
  for (const other of [{ text: "other" }, { waId: "15550002222" }, { timestamp: "1764238454" }]) {
    expect(only({ ...bare, ...other }).id).not.toBe(hash);
  }
});

test("a number as the id is its digits; one that several are read as is none", () => {
  const bare = { id: 2, waId: 15550001111, type: "text", text: "hello" };
  expect(only(bare)).toMatchObject({ id: "2", sender: { phone: "+15550001111" } });
  const idOf = (digits: string) => only(event({ whatsappMessageId: JSON.parse(digits) })).id;
  expect(idOf("9007199254740991")).toBe("9007199254740991");
  for (const digits of ["9007199254740993", "1234567890123456789", "-1e300", "1.5"]) {
    expect([digits, idOf(digits)]).toEqual([digits, "69282478274a880fe782b2d9"]);
  }
});

test("messages without an id are told apart by whoever, whenever and whatever they tell", () => {
  const bare = { ...event(), whatsappMessageId: null, id: null };
  const image = { ...bare, type: "image", text: "" };
  const pairs: [name: string, one: object, other: object][] = [
    ["by BSUID", { waId: null, bsuid: "US.1" }, { waId: null, bsuid: "US.2" }],
    [
      "by when they were created",
      { timestamp: null },
      { timestamp: null, created: "2025-11-27T10:14:17Z" },
    ],
    ["by type", { type: "text" }, { type: "button" }],
    ["by what they reply to", { replyContextId: "wamid.1" }, { replyContextId: "wamid.2" }],
    ["by path", { ...image, data: "data/1.jpg" }, { ...image, data: "data/2.jpg" }],
    ["by address", { ...image, data: "https://a.test/1" }, { ...image, data: "https://a.test/2" }],
  ];
  for (const [name, one, other] of pairs) {
    const ids = [one, other, one].map((more) => only({ ...bare, ...more }).id);
    expect([name, ids[0] === ids[1], ids[0] === ids[2]]).toEqual([name, false, true]);
  }
});

test("what is no message", () => {
  const cases: [name: string, body: unknown, expected: string][] = [
    ["an echo", event({ owner: true }), "echo"],
    ["an echo, in text", event({ owner: " True " }), "echo"],
    ["an echo, in digits", event({ owner: 1 }), "echo"],
    ["an echo by another name", event({ owner: null, fromMe: true }), "echo"],
    ["a chatbot's repetition", event({ eventType: "chatbotTriggered" }), "chatbot_triggered"],
    ["its twin", event({ eventType: "chatbotTriggered_bsuid" }), "chatbot_triggered"],
    [
      "a template, without owner",
      event({ eventType: "templateMessageSent_v2", owner: undefined }),
      "template_event",
    ],
    ["a template's fate", event({ eventType: "templateMessageFailed" }), "template_event"],
    ["a template in the message event", event({ type: "template" }), "template_event"],
    ["a new contact", event({ eventType: "newContactMessageReceived" }), "new_contact"],
    [
      "a new contact who is nobody",
      event({ eventType: "newContactMessageReceived", waId: null }),
      "new_contact",
    ],
    ["a template that was reviewed", { eventType: "templateReviewed" }, "template_event"],
    ["something else", event({ eventType: "ticketAssigned" }), "unknown_event"],
    ["nobody wrote", event({ waId: null }), "no_sender"],
    ["somebody malformed wrote", event({ waId: "<whatsappNumber>" }), "no_sender"],
    ["nothing said", event({ text: null, type: null }), "empty_text"],
    ["blank", event({ text: "  " }), "empty_text"],
    ["no object", "message", "malformed"],
    ["null", null, "malformed"],
    ["a list within the list", [[]], "malformed"],
    ["a status of nothing", { eventType: "sentMessageDELIVERED" }, "status_without_id"],
    ["a reaction to nothing", event({ type: "reaction", text: "👍" }), "reaction_without_target"],
  ];
  for (const [name, body, reason] of cases) {
    expect([name, parseWebhook(body, now)]).toEqual([name, [{ kind: "ignored", reason }]]);
  }
  expect(parseWebhook([], now)).toEqual([]);
});

test("statuses name what was sent, never a message", () => {
  const states: Record<string, string> = {
    sessionMessageSent: "sent",
    sessionMessageSent_v2: "sent",
    sentMessageDELIVERED: "delivered",
    sentMessageDELIVERED_v2: "delivered",
    sentMessageREAD_bsuid: "read",
    sentMessageREPLIED: "read",
    sentMessagePLAYED: "played",
  };
  for (const [eventType, state] of Object.entries(states)) {
    const events = parseWebhook(event({ eventType, owner: true }), now);
    expect(
      events.map(
        (it) => it.kind === "status" && [it.status.platformId, it.status.state, it.status.failure],
      ),
    ).toEqual([
      ["69282478274a880fe782b2d9", state, null],
      ["wamid.ONE", state, null],
    ]);
  }
  const failed = parseWebhook(
    {
      eventType: "sessionMessageFailed",
      id: "w1",
      text: "secret text",
      failedCode: "131047",
      failedDetail: "Re-engagement message to +1 555 000 1111",
      timestamp: "1764238453",
    },
    now,
  );
  expect(failed).toMatchObject([
    {
      kind: "status",
      status: {
        platformId: "w1",
        state: "failed",
        timestamp: 1764238453,
        failure: { retry: "no", code: "131047" },
      },
    },
  ]);
  expect(JSON.stringify(failed)).not.toContain("555 000");
  expect(JSON.stringify(failed)).not.toContain("secret text");
});

test("a failed send says why as far as WATI does", () => {
  const why = (more: object) => {
    const [status] = parseWebhook({ eventType: "sessionMessageFailed", id: "w1", ...more }, now);
    const failure = status?.kind === "status" ? status.status.failure : null;
    return [failure?.code, failure?.hint];
  };
  expect(why({})).toEqual(["failed", "WhatsApp could not deliver it."]);
  expect(why({ failedCode: 131047, failedDetail: "Re-engagement message" })).toEqual([
    "131047",
    "WhatsApp could not deliver it: Re-engagement message",
  ]);
  expect(why({ failedCode: "to +1 555 000 1111" })).toEqual([
    "failed",
    "WhatsApp could not deliver it.",
  ]);
});

test("reactions point at what they are about", () => {
  const reaction = (text: unknown): InboundEvent[] =>
    parseWebhook(event({ type: "reaction", text, replyContextId: "wamid.ZERO" }), now);
  const sender = { phone: "+15550001111" };
  expect(reaction("👍")).toMatchObject([
    { kind: "reaction", targetId: "wamid.ZERO", emoji: "👍", sender },
  ]);
  expect(reaction({ body: "👍" })).toMatchObject([{ kind: "reaction", emoji: "👍" }]);
  expect(reaction("")).toMatchObject([{ kind: "reaction", targetId: "wamid.ZERO", emoji: null }]);
});

test("time: text or number, seconds or milliseconds, ISO, else when it was created, else now", () => {
  const cases: [unknown, unknown, number][] = [
    ["1764238453", null, 1764238453],
    [1764238453, null, 1764238453],
    ["1764238453000", null, 1764238453],
    ["2025-01-15T12:00:00Z", null, 1736942400],
    ["", "2025-11-27T10:14:16.6268572Z", 1764238456],
    [null, "2025-11-27T10:14:16.6268572Z", 1764238456],
    ["99999999999999999", null, now / 1000],
    ["soon", null, now / 1000],
    ["-5", null, now / 1000],
    [{}, [], now / 1000],
  ];
  for (const [timestamp, created, expected] of cases) {
    expect([timestamp, created, only(event({ timestamp, created })).timestamp]).toEqual([
      timestamp,
      created,
      expected,
    ]);
  }
});

test("replies and forwards", () => {
  expect(only(event({ replyContextId: "wamid.ZERO" })).replyTo).toBe("wamid.ZERO");
  expect(only(event({ replyContextId: null })).replyTo).toBeNull();
  expect(only(event({ forwarded: true })).forwarded).toBe(true);
  expect(only(event({ frequentlyForwarded: true })).forwarded).toBe(true);
});

test("fields of wrong shapes cost nothing but themselves", () => {
  const strange = event({
    senderName: 5,
    username: {},
    forwarded: "yes",
    listReply: "x",
    replyContextId: { id: 1 },
    timestamp: [1],
    created: 7,
    messageContact: 3,
    bsuid: "not a bsuid!",
    whatsappMessageId: 12345,
  });
  expect(only(strange)).toMatchObject({
    id: "12345",
    text: "hello",
    sender: { name: null, userId: null },
    replyTo: null,
  });
});
