import { expect, test } from "bun:test";
import { compileAllowlist } from "../../src/access/allowlist.ts";

const of = (phone: string | null, userId: string | null = null, lid: string | null = null) => ({
  phone,
  userId,
  lid,
});
const ofBusiness = (parentUserId: string) => ({ ...of(null, "US.1"), parentUserId });

test.each<[name: string, entries: string[], sender: ReturnType<typeof of>, allowed: boolean]>([
  ["nobody is allowed by an empty list", [], of("+15551234567"), false],
  ["a star allows anybody", ["*"], of("+15551234567"), true],
  ["a star among others", ["+1", " * "], of(null, null, "1@lid"), true],
  ["a listed number", ["+15551234567"], of("+15551234567"), true],
  ["another number", ["+15551234567"], of("+15551234568"), false],
  ["a number that begins alike", ["+1555123456"], of("+15551234567"), false],
  ["written otherwise", ["1 (555) 123-4567"], of("+15551234567"), true],
  ["the other Brazilian form", ["+5511987654321"], of("+551187654321"), true],
  ["a Brazilian form the other way", ["+551187654321"], of("+5511987654321"), true],
  ["a listed BSUID", ["US.134"], of(null, "US.134"), true],
  ["a listed BSUID with another number", ["US.134"], of("+15551234567", "US.134"), true],
  ["another BSUID", ["US.134"], of(null, "US.1345"), false],
  ["a listed parent BSUID", ["US.ENT.134"], ofBusiness("US.ENT.134"), true],
  ["another parent BSUID", ["US.ENT.134"], ofBusiness("US.ENT.135"), false],
  ["a BSUID without its number", ["+15551234567"], of(null, "US.134"), false],
  ["a LID without its number", ["+15551234567"], of(null, null, "15551234567@lid"), false],
  ["a LID with its number", ["+15551234567"], of("+15551234567", null, "9@lid"), true],
  ["an entry that is nothing", ["Ada", "", "**"], of("+15551234567"), false],
])("%s", (_name, entries, sender, allowed) => {
  expect(compileAllowlist(entries).allows(sender)).toBe(allowed);
});

test.each<[entries: string[], everybody: boolean, empty: boolean, invalid: number[]]>([
  [[], false, true, []],
  [["Ada", ""], false, true, [0, 1]],
  [["Ada", "*"], true, false, [0]],
  [["+15551234567", "1@lid", "US.1"], false, false, [1]],
  [["US.1"], false, false, []],
])("%p", (entries, everybody, empty, invalid) => {
  expect(compileAllowlist(entries)).toMatchObject({ everybody, empty, invalid });
});
