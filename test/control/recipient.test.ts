import { expect, test } from "bun:test";
import type { Channel } from "../../src/channels/channel.ts";
import type { Recipient } from "../../src/channels/message.ts";
import { ControlError } from "../../src/control/api.ts";
import { nameOf, recipientOf, recipientOn } from "../../src/control/recipient.ts";
import { fakeChannel } from "../support/channel.ts";

const person = (changes: Partial<Extract<Recipient, { kind: "direct" }>>): Recipient => ({
  kind: "direct",
  phone: null,
  userId: null,
  lid: null,
  ...changes,
});
const ada = person({ phone: "+15550001111" });

test.each<[name: string, target: string, recipient: Recipient]>([
  ["a number", "+15550001111", ada],
  ["a number as people write it", " +1 (555) 000-1111 ", ada],
  ["a number as an address of WhatsApp", "15550001111@s.whatsapp.net", ada],
  ["a BSUID", "US.13491208655302741918", person({ userId: "US.13491208655302741918" })],
  ["a LID", "12345678901234@lid", person({ lid: "12345678901234@lid" })],
  ["a group of Web", "120363001@g.us", { kind: "group", id: "120363001@g.us" }],
  ["a group by its id", "group:abc", { kind: "group", id: "abc" }],
  ["one's own chat", "self", { kind: "self" }],
])("%s: %s", (_, target, recipient) => {
  expect(recipientOf(target)).toEqual(recipient);
});

test.each<[Parameters<typeof nameOf>[0], string]>([
  [{ kind: "direct", id: "+15550001111" }, "+15550001111"],
  [{ kind: "direct", id: "12345678901234@lid" }, "12345678901234@lid"],
  [{ kind: "group", id: "120363001@g.us" }, "120363001@g.us"],
  [{ kind: "group", id: "abc" }, "group:abc"],
  [{ kind: "self", id: "+15550002222" }, "self"],
])("the chat %j is named %s, and found again by that", (chat, name) => {
  expect(nameOf(chat)).toBe(name);
  expect(recipientOf(name).kind).toBe(chat.kind);
});

test.each(["", "Ada", "group:", "a group:b", "12", "ada@example.com"])("%p is nobody", (target) => {
  expect(() => recipientOf(target)).toThrow(ControlError);
});

test.each<[name: string, channel: Partial<Channel>, target: string, recipient: Recipient]>([
  ["a group of Web is its JID", { backend: "web" }, "group:120", { kind: "group", id: "120@g.us" }],
  [
    "a group of Web named by its JID stays",
    { backend: "web" },
    "group:120@g.us",
    { kind: "group", id: "120@g.us" },
  ],
  ["a group of Cloud is its id", { backend: "cloud" }, "group:120", { kind: "group", id: "120" }],
  [
    "one's own number on Web is one's own chat",
    { backend: "web" },
    "+15550001111",
    { kind: "self" },
  ],
  [
    "another number on Web is a person",
    { backend: "web" },
    "+15550002222",
    person({ phone: "+15550002222" }),
  ],
  [
    "the number of a Cloud account is no chat of its own",
    { backend: "cloud" },
    "+15550001111",
    ada,
  ],
  [
    "a LID on Web is a person",
    { backend: "web" },
    "12345678901234@lid",
    person({ lid: "12345678901234@lid" }),
  ],
])("%s", (_, changes, target, recipient) => {
  const linked = fakeChannel({
    ...changes,
    status: () => ({ state: "ready", reason: null, linkedAs: "+15550001111" }),
  });
  expect(recipientOn(linked, target)).toEqual(recipient);
});

test("before it is linked, a person without a number is not oneself", () => {
  const unlinked = fakeChannel({ backend: "web" });
  expect(recipientOn(unlinked, "12345678901234@lid")).toEqual(
    person({ lid: "12345678901234@lid" }),
  );
  expect(recipientOn(unlinked, "+15550001111")).toEqual(ada);
});
