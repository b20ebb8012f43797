import { expect, test } from "bun:test";
import {
  addressOf,
  type JidKind,
  kindOf,
  lidOf,
  phoneJid,
  phoneOf,
  userOf,
  withoutDevice,
} from "../../../src/channels/whatsapp-web/jid.ts";

const ada = "491700000001@s.whatsapp.net";
const lid = "900491700000001@lid";
const group = "120363000000000001@g.us";

test.each<[string, JidKind]>([
  [ada, "phone"],
  ["491700000001:12@s.whatsapp.net", "phone"],
  ["491700000001@c.us", "phone"],
  ["491700000001:99@hosted", "phone"],
  [lid, "lid"],
  ["900491700000001:99@hosted.lid", "lid"],
  [group, "group"],
  ["status@broadcast", "status"],
  ["1700000000@broadcast", "broadcast"],
  ["120363000000000002@newsletter", "newsletter"],
  ["13135550002@bot", "other"],
  ["s.whatsapp.net", "other"],
  ["lid", "other"],
  ["", "other"],
])("%p addresses: %s", (jid, kind) => {
  expect(kindOf(jid)).toBe(kind);
});

test.each<[string | null, string | null, string | null, string | null]>([
  [ada, "491700000001", "+491700000001", null],
  ["491700000001:12@s.whatsapp.net", "491700000001", "+491700000001", null],
  ["491700000001@c.us", "491700000001", "+491700000001", null],
  ["491700000001:99@hosted", "491700000001", "+491700000001", null],
  [lid, "900491700000001", null, lid],
  ["900491700000001:3@lid", "900491700000001", null, lid],
  ["900491700000001:99@hosted.lid", "900491700000001", null, lid],
  [group, "120363000000000001", null, null],
  ["1234@s.whatsapp.net", "1234", null, null],
  ["ada@s.whatsapp.net", "ada", null, null],
  ["ada12345@s.whatsapp.net", "ada12345", null, null],
  ["12345ada@s.whatsapp.net", "12345ada", null, null],
  ["@s.whatsapp.net", null, null, null],
  ["@lid", null, null, null],
  ["nobody", null, null, null],
  ["", null, null, null],
  [null, null, null, null],
])("%p: user %p, number %p, LID %p", (jid, user, phone, itsLid) => {
  expect([userOf(jid), phoneOf(jid), lidOf(jid)]).toEqual([user, phone, itsLid]);
});

test.each([
  [ada, ada],
  ["491700000001:12@s.whatsapp.net", ada],
  ["491700000001:99@hosted", ada],
  ["900491700000001:3@lid", lid],
  [group, group],
  ["status@broadcast", "status@broadcast"],
])("%s without a device is %s", (jid, chat) => {
  expect(withoutDevice(jid)).toBe(chat);
});

test("a number's JID holds its digits", () => {
  expect(phoneJid("+49 170 0000001")).toBe(ada);
});

test.each([
  [ada, "491700000001.0"],
  ["491700000001:12@s.whatsapp.net", "491700000001.12"],
  ["900491700000001:3@lid", "900491700000001_1.3"],
  ["@s.whatsapp.net", null],
  ["nobody", null],
])("%s is to libsignal %p", (jid, address) => {
  expect(addressOf(jid)).toBe(address);
});
