import { expect, test } from "bun:test";
import { event, only } from "./event.ts";

const url = "https://live-mt-server.wati.io/384776/api/file/showFile?fileName=data/audios/5f.opus";

test("text by type", () => {
  const cases: [name: string, more: object, type: string, text: string][] = [
    ["no type", { type: null }, "text", "hello"],
    [
      "a list, repeated in text",
      { type: "interactive", text: "Red", listReply: { id: "1", title: "Red" } },
      "interactive",
      "Red",
    ],
    [
      "a list, not repeated",
      { type: "interactive", text: null, listReply: { id: "1", title: "Red" } },
      "interactive",
      "Red",
    ],
    [
      "a button of ours",
      { type: "interactive", text: "", interactiveButtonReply: { id: "1", title: "Yes" } },
      "interactive",
      "Yes",
    ],
    [
      "a button of a template",
      { type: "button", text: null, buttonReply: { text: "Yes", payload: "{}" } },
      "button",
      "Yes",
    ],
    [
      "an interactive of nothing",
      { type: "interactive", text: null },
      "interactive",
      "[Interactive answer without content]",
    ],
    [
      "a place",
      { type: "location", text: null, data: { latitude: 1.5, longitude: "2", name: "Home" } },
      "location",
      "[Location] Home (1.5, 2)",
    ],
    [
      "a place as JSON",
      { type: "location", text: null, data: '{"latitude":1,"longitude":2}' },
      "location",
      "[Location] (1, 2)",
    ],
    [
      "a place as a pair",
      { type: "location", text: "52.5163,13.3777" },
      "location",
      "[Location] (52.5163, 13.3777)",
    ],
    [
      "a place as a pair in data",
      { type: "location", text: null, data: " -33, -151.2 " },
      "location",
      "[Location] (-33, -151.2)",
    ],
    [
      "a place as a pair, and by its name in data",
      { type: "location", text: "1.5,2", data: { latitude: 1.5, longitude: 2, name: "Home" } },
      "location",
      "[Location] Home (1.5, 2)",
    ],
    [
      "a place with words of its own",
      { type: "location", text: "Home", data: { latitude: 1.5, longitude: 2 } },
      "location",
      "[Location] Home (1.5, 2)",
    ],
    [
      "a place with words of its own and a name",
      { type: "location", text: "meet me", data: { latitude: 1.5, longitude: 2, name: "Home" } },
      "location",
      "[Location] meet me, Home (1.5, 2)",
    ],
    [
      "a place whose words are its name",
      { type: "location", text: "Home", data: { latitude: 1.5, longitude: 2, name: "Home" } },
      "location",
      "[Location] Home (1.5, 2)",
    ],
    [
      "a place in words",
      { type: "location", text: "Main Street 1, 1234" },
      "location",
      "Main Street 1, 1234",
    ],
    [
      "a place in words, and no coordinates",
      { type: "location", text: "here", data: "data/x" },
      "location",
      "here",
    ],
    ["a pair that is no text of a place", { type: "text", text: "1.5,2" }, "text", "1.5,2"],
    ["a place of nothing", { type: "location", text: null }, "location", "[Location]"],
    [
      "people",
      {
        type: "contacts",
        text: null,
        messageContact: [{ name: { formatted_name: "Bob" }, phones: [{ phone: "+1 2" }] }],
      },
      "contacts",
      "[Contacts] Bob (+1 2)",
    ],
    [
      "one person, named only",
      { type: "contacts", text: null, data: { name: { formatted_name: "Bob" } } },
      "contacts",
      "[Contacts] Bob",
    ],
    [
      "one person, as JSON, without a name",
      { type: "contacts", text: null, data: '{"phones":[{"phone":"+1 2"},{"phone":null}]}' },
      "contacts",
      "[Contacts] Unnamed (+1 2)",
    ],
    ["nobody", { type: "contacts", text: null, data: null }, "contacts", "[Contacts]"],
    [
      "a list of which only the row is named",
      { type: "interactive", text: null, listReply: { id: "row-1" } },
      "interactive",
      "row-1",
    ],
    [
      "a button without words",
      { type: "button", text: null, buttonReply: { payload: "p-1" } },
      "button",
      "p-1",
    ],
    [
      "people who are lists",
      { type: "contacts", text: null, data: [{ name: [] }, { phones: [[]] }, []] },
      "contacts",
      "[Contacts]",
    ],
    [
      "a list answer that is a list",
      { type: "interactive", text: null, listReply: [], interactiveButtonReply: { title: "Yes" } },
      "interactive",
      "Yes",
    ],
    ["an order", { type: "order", text: null }, "order", "[Order]"],
    ["an order in words", { type: "order", text: "2 loaves" }, "order", "2 loaves"],
    ["people in words", { type: "contacts", text: "Ada", data: null }, "contacts", "Ada"],
    ["what is to come, in words", { type: "hologram", text: "Look!" }, "hologram", "Look!"],
    ["a type in capitals", { type: " Text " }, "text", "hello"],
    [
      "a type without end",
      { type: "x".repeat(41), text: null },
      "x".repeat(40),
      `[Message of type "${"x".repeat(40)}", which cannot be shown here]`,
    ],
    [
      "what is to come",
      { type: "hologram\n<x>", text: null },
      "hologram_x_",
      '[Message of type "hologram_x_", which cannot be shown here]',
    ],
    ["text as Meta nests it", { text: { body: "nested" } }, "text", "nested"],
    [
      "text as relays nest it",
      { text: null, type: null, message: { text: "nested" } },
      "text",
      "nested",
    ],
  ];
  for (const [name, more, type, text] of cases) {
    const message = only(event(more));
    expect([name, message.type, message.text]).toEqual([name, type, text]);
  }
});

test("files by type", () => {
  const cases: [name: string, more: object, expected: object][] = [
    [
      "a voice note",
      { type: "voice", text: null, data: url },
      {
        type: "voice",
        text: "",
        attachments: [{ kind: "audio", filename: null, source: { url, path: null } }],
      },
    ],
    [
      "a voice note under audio",
      { type: "audio", text: null, data: url },
      { type: "voice", text: "" },
    ],
    [
      "a voice note of another ending",
      { type: "audio", text: null, data: url.replace("opus", "OGA") },
      { type: "voice", text: "" },
    ],
    ["music", { type: "audio", text: null, data: url.replace("opus", "mp3") }, { type: "audio" }],
    [
      "a picture with caption",
      { type: "image", text: "look", data: "data/images/x.jpg" },
      {
        type: "image",
        text: "look",
        attachments: [{ kind: "image", source: { url: null, path: "data/images/x.jpg" } }],
      },
    ],
    [
      "a picture whose address is repeated",
      { type: "image", text: url, data: url },
      { type: "image", text: "" },
    ],
    [
      "a picture without address",
      { type: "image", text: null, data: null },
      {
        text: "",
        attachments: [
          {
            source: {
              url: null,
              path: null,
              id: "69282478274a880fe782b2d9",
              whatsappId: "wamid.ONE",
            },
          },
        ],
      },
    ],
    [
      "a document",
      { type: "document", text: "report.pdf", data: url },
      {
        type: "document",
        text: "report.pdf",
        attachments: [{ kind: "document", filename: "report.pdf" }],
      },
    ],
    [
      "a document without name",
      { type: "document", text: null, data: url.replace("opus", "pdf") },
      { text: "5f.pdf", attachments: [{ filename: "5f.pdf" }] },
    ],
    [
      "a document of nothing",
      { type: "document", text: null, data: null },
      { text: "document", attachments: [{ filename: "document" }] },
    ],
    [
      "a document with a path for a name",
      { type: "document", text: "../../etc/passwd", data: url },
      { attachments: [{ filename: "passwd" }] },
    ],
    [
      "a document with a path for an address",
      { type: "document", text: "", data: "data/../../../.ssh/id_rsa" },
      { attachments: [{ filename: "id_rsa" }] },
    ],
    [
      "a sticker",
      { type: "sticker", text: null, data: url },
      { type: "sticker", text: "", attachments: [{ kind: "sticker" }] },
    ],
    [
      "a film",
      { type: "video", text: "see", data: url },
      { type: "video", text: "see", attachments: [{ kind: "video" }] },
    ],
    [
      "the address where the original looked",
      { type: "voice", text: null, data: null, mediaUrl: url },
      { attachments: [{ source: { url } }] },
    ],
  ];
  for (const [name, more, expected] of cases) {
    expect({ name, ...only(event(more)) }).toMatchObject({ name, ...expected } as object);
  }
});
