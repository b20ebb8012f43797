import { describe, expect, test } from "bun:test";
import { proto } from "@whiskeysockets/baileys";
import { ada, adaLid, direct, file, group, hello, message, read } from "./stanzas.ts";

const { MEDIA_ALBUM } = proto.MessageAssociation.AssociationType;

describe("types and texts", () => {
  test.each<[string, string, string, proto.IMessage]>([
    ["text", "text", "hello", { extendedTextMessage: { text: "hello" } }],
    ["a disappearing text", "text", "hello", { ephemeralMessage: { message: hello } }],
    ["an image", "image", "look", { imageMessage: { ...file, caption: "look" } }],
    ["an image seen once", "image", "", { viewOnceMessageV2: { message: { imageMessage: file } } }],
    ["a video", "video", "", { videoMessage: file }],
    ["a round video", "video", "", { ptvMessage: file }],
    ["a voice note", "voice", "", { audioMessage: { ...file, ptt: true } }],
    ["music", "audio", "", { audioMessage: file }],
    [
      "a document",
      "document",
      "offer.pdf",
      { documentMessage: { ...file, fileName: "offer.pdf" } },
    ],
    [
      "a document with a caption",
      "document",
      "please sign",
      {
        documentWithCaptionMessage: {
          message: { documentMessage: { ...file, fileName: "o.pdf", caption: "please sign" } },
        },
      },
    ],
    ["a sticker", "sticker", "", { stickerMessage: file }],
    [
      "a sticker that moves",
      "sticker",
      "",
      { lottieStickerMessage: { message: { stickerMessage: file } } },
    ],
    ["a text that names a group", "text", "hello", { groupMentionedMessage: { message: hello } }],
    ["a text to a bot", "text", "hello", { botInvokeMessage: { message: hello } }],
    ["a text of a bot", "text", "hello", { botForwardedMessage: { message: hello } }],
    ["a question", "text", "hello", { questionMessage: { message: hello } }],
    ["an answer to one", "text", "hello", { questionReplyMessage: { message: hello } }],
    [
      "an image of an album",
      "image",
      "look",
      {
        associatedChildMessage: { message: { imageMessage: { ...file, caption: "look" } } },
        messageContextInfo: { messageAssociation: { associationType: MEDIA_ALBUM } },
      },
    ],
    [
      "a poll in its wrapping",
      "poll",
      "Poll, When?",
      { pollCreationMessageV4: { message: { pollCreationMessage: { name: "When?" } } } },
    ],
    [
      "a poll of the fifth version",
      "poll",
      "Poll, When?",
      { pollCreationMessageV5: { name: "When?" } },
    ],
    [
      "a place",
      "location",
      "Location 52.5, 13.4, Café",
      { locationMessage: { degreesLatitude: 52.5, degreesLongitude: 13.4, name: "Café" } },
    ],
    [
      "a place by its address",
      "location",
      "Location 1, 2, Main Street",
      {
        locationMessage: { degreesLatitude: 1, degreesLongitude: 2, address: "Main\n\nStreet" },
      },
    ],
    [
      "a place that moves",
      "location",
      "Location 1, 2, on my way",
      {
        liveLocationMessage: { degreesLatitude: 1, degreesLongitude: 2, caption: "on my way" },
      },
    ],
    [
      "a document by its title",
      "document",
      "Offer",
      { documentMessage: { ...file, title: "Offer" } },
    ],
    [
      "a visiting card",
      "contacts",
      "Bob, +44 7700",
      {
        contactMessage: {
          displayName: "Bob",
          vcard: "BEGIN:VCARD\nTEL;type=CELL:+44 7700\nEND:VCARD",
        },
      },
    ],
    [
      "visiting cards",
      "contacts",
      "Bob, +44 7700; Contact, +1 2",
      {
        contactsArrayMessage: {
          contacts: [
            { displayName: "Bob", vcard: "item1.tel: +44 7700 \nNOTE:a TEL:9" },
            { vcard: "TEL:+1 2" },
          ],
        },
      },
    ],
    [
      "a button without words",
      "button",
      "y",
      { buttonsResponseMessage: { selectedButtonId: "y" } },
    ],
    [
      "a template's button without words",
      "button",
      "y",
      { templateButtonReplyMessage: { selectedId: "y" } },
    ],
    [
      "a list without words",
      "interactive",
      "row-1",
      { listResponseMessage: { singleSelectReply: { selectedRowId: "row-1" } } },
    ],
    [
      "an answer of a flow",
      "interactive",
      "Sent",
      {
        interactiveResponseMessage: {
          body: { text: "Sent" },
          nativeFlowResponseMessage: { name: "flow" },
        },
      },
    ],
    [
      "an answer of a flow without words",
      "interactive",
      "flow",
      { interactiveResponseMessage: { nativeFlowResponseMessage: { name: "flow" } } },
    ],
    [
      "a product",
      "product",
      "Product, Shoes, how much?",
      { productMessage: { product: { title: "Shoes" }, body: "how much?" } },
    ],
    [
      "an event",
      "event",
      "Event, Party, at ours",
      { eventMessage: { name: "Party", description: "at ours" } },
    ],
    [
      "an invitation",
      "group_invite",
      "Invitation to a group, Friends, come in",
      { groupInviteMessage: { groupName: "Friends", caption: "come in" } },
    ],
    [
      "a poll of the second version",
      "poll",
      "Poll, When?",
      { pollCreationMessageV2: { name: "When?" } },
    ],
    [
      "a button",
      "button",
      "Yes",
      { buttonsResponseMessage: { selectedDisplayText: "Yes", selectedButtonId: "y" } },
    ],
    [
      "a template's button",
      "button",
      "Yes",
      { templateButtonReplyMessage: { selectedDisplayText: "Yes" } },
    ],
    ["a list", "interactive", "Red", { listResponseMessage: { title: "Red" } }],
    [
      "an order",
      "order",
      "Order, Shoes, 2 items, soon please",
      { orderMessage: { orderTitle: "Shoes", itemCount: 2, message: "soon please" } },
    ],
    ["an order of nothing", "order", "Order", { orderMessage: {} }],
    [
      "a poll",
      "poll",
      "Poll, When?, Mon / Tue",
      {
        pollCreationMessageV3: {
          name: "When?",
          options: [{ optionName: "Mon" }, { optionName: "Tue" }],
        },
      },
    ],
    [
      "something new",
      "payment_invite",
      '[a message of the type "payment_invite", which cannot be shown as text]',
      { paymentInviteMessage: { serviceType: 1 } },
    ],
  ])("%s", (_, type, text, content) => {
    const { type: foundType, text: foundText } = message(content);
    expect({ type: foundType, text: foundText }).toEqual({ type, text });
  });

  test("a picture may be a reply as a text may", () => {
    const contextInfo = { stanzaId: "Q1", participant: "15550001000@s.whatsapp.net" };
    expect(message({ imageMessage: { ...file, contextInfo } })).toMatchObject({
      replyTo: "Q1",
      mentionsMe: true,
    });
  });

  test.each<[string, proto.IContextInfo, object]>([
    ["a quotation", { stanzaId: "Q1", participant: ada }, { replyTo: "Q1", mentionsMe: false }],
    [
      "a reply to us",
      { stanzaId: "Q1", participant: "15550001000@s.whatsapp.net" },
      { replyTo: "Q1", mentionsMe: true },
    ],
    [
      "a reply to nothing of ours",
      { participant: "15550001000@s.whatsapp.net" },
      { replyTo: null, mentionsMe: false },
    ],
    ["a mention of our LID", { mentionedJid: ["900015550001000@lid"] }, { mentionsMe: true }],
    ["a mention of another", { mentionedJid: [adaLid] }, { mentionsMe: false }],
    ["forwarded", { isForwarded: true }, { forwarded: true }],
  ])("%s", (_, contextInfo, expected) => {
    expect(message({ extendedTextMessage: { text: "x", contextInfo } })).toMatchObject(expected);
  });

  test("a group's first message: its sender key and its text are one", () => {
    const attributes = { ...direct, from: group, participant: ada };
    const parts = [{ senderKeyDistributionMessage: { groupId: group } }, hello];
    expect(message(parts, attributes).text).toBe("hello");
    expect(read(parts, attributes).carriesSenderKey).toBe(true);
    expect(read(parts.slice(0, 1), attributes)).toMatchObject({
      events: [{ kind: "ignored", reason: "empty" }],
      carriesSenderKey: true,
    });
  });

  test("what is kept for quotations is the text, or the type", () => {
    expect(read(hello).preview).toBe("hello");
    expect(read({ stickerMessage: file }).preview).toBe("[sticker]");
  });
});
