import { describe, expect, test } from "bun:test";
import {
  isSameChat,
  isSelf,
  learntPairs,
  lidToWrite,
  type Self,
  storedMappings,
} from "../../../src/channels/whatsapp-web/identity.ts";

const self: Self = { phone: "+15550001000", lid: "900015550001000@lid" };
const own = "15550001000@s.whatsapp.net";
const ownLid = "900015550001000@lid";
const ada = "491700000001@s.whatsapp.net";
const adaLid = "900491700000001@lid";
const bob = "447700900002@s.whatsapp.net";
const bobLid = "900447700900002@lid";
const group = "120363000000000001@g.us";

const stored: Record<string, string> = {
  "491700000001": '"900491700000001"',
  "900491700000001_reverse": '"491700000001"',
  "447700900003": "null",
  "447700900004": '"not a LID"',
  "900447700900005_reverse": '"447700900005"',
  "900447700900006_reverse": '"447700900006"',
  "447700900006": '"900447700900007"',
  "447700900008": '"900447700900009"',
  "447700900009": '"900447700900009"',
  "900447700900009_reverse": '"447700900009"',
  "447700900010": '"900447700900010"',
  "5511987654321": '"905511987654321"',
  "551187654321": '"905511987654321"',
  "905511987654321_reverse": '"551187654321"',
};
const mappings = storedMappings((id) => stored[id]);

describe("the pairs of LIDs and numbers that Baileys stored", () => {
  test("are found from both ends, whatever the device", () => {
    expect(mappings.lidOfPhone("+491700000001")).toBe(adaLid);
    expect(mappings.phoneOfLid(adaLid)).toBe("+491700000001");
    expect(mappings.phoneOfLid("900491700000001:12@lid")).toBe("+491700000001");
  });

  test.each(["+447700900002", "+447700900003", "+447700900004", ""])(
    "know no LID of %p",
    (phone) => {
      expect(mappings.lidOfPhone(phone)).toBeNull();
    },
  );

  test("know a number from either entry, but not of who has it no more", () => {
    expect(mappings.phoneOfLid("900447700900005@lid")).toBe("+447700900005");
    expect(mappings.phoneOfLid("900447700900006@lid")).toBeNull();
  });

  test("know the LID of a number, but not of one that its owner has no more", () => {
    expect(mappings.lidOfPhone("+447700900009")).toBe("900447700900009@lid");
    expect(mappings.lidOfPhone("+447700900008")).toBeNull();
    expect(mappings.lidOfPhone("+447700900010")).toBe("900447700900010@lid");
  });

  test("know the LID by both forms of a number that has two", () => {
    expect(mappings.lidOfPhone("+551187654321")).toBe("905511987654321@lid");
    expect(mappings.lidOfPhone("+5511987654321")).toBe("905511987654321@lid");
  });

  test.each([bobLid, "lid", ""])("know no number of %p", (lid) => {
    expect(mappings.phoneOfLid(lid)).toBeNull();
  });

  test("that were just stored are told once each", () => {
    const pair = { "491700000001": "900491700000001", "900491700000001_reverse": "491700000001" };
    expect(learntPairs(pair)).toEqual([{ phone: "+491700000001", lid: adaLid }]);
  });
});

test.each<[string | null, Self, boolean]>([
  [own, self, true],
  ["15550001000:7@s.whatsapp.net", self, true],
  [ownLid, self, true],
  [ada, self, false],
  [adaLid, self, false],
  [group, self, false],
  [null, self, false],
  ["", self, false],
  [group, { phone: null, lid: null }, false],
  [own, { phone: null, lid: null }, false],
])("%p is the account %j: %p", (jid, account, expected) => {
  expect(isSelf(jid, account)).toBe(expected);
});

test.each<[string, string, boolean]>([
  [ada, ada, true],
  [ada, "491700000001:12@s.whatsapp.net", true],
  [ada, adaLid, true],
  [adaLid, "900491700000001:3@lid", true],
  [bobLid, "900447700900002:3@lid", true],
  [bob, "447700900002:3@s.whatsapp.net", true],
  [group, group, true],
  [own, ownLid, true],
  [ada, bob, false],
  [ada, bobLid, false],
  [adaLid, bobLid, false],
  [bob, bobLid, false],
  [ada, own, false],
  [own, bob, false],
  [ada, group, false],
  [group, "120363000000000002@g.us", false],
])("%s and %s are one chat: %p", (one, other, expected) => {
  expect(isSameChat(one, other, self, mappings)).toBe(expected);
  expect(isSameChat(other, one, self, mappings)).toBe(expected);
});

test.each<[string | null, string | null, string | null]>([
  ["+491700000001", null, adaLid],
  ["+491700000001", adaLid, adaLid],
  ["+491700000001", bobLid, adaLid],
  ["+447700900002", bobLid, bobLid],
  ["+447700900002", null, null],
  ["+447700900002", adaLid, null],
  ["+447700900005", "900447700900005@lid", "900447700900005@lid"],
  ["+447700900008", null, null],
  ["+447700900008", "900447700900009@lid", null],
  [null, bobLid, bobLid],
  [null, null, null],
])("who has the number %p and the LID %p is written to by %p", (phone, lid, expected) => {
  expect(lidToWrite({ phone, lid }, mappings)).toBe(expected);
});
