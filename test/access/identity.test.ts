import { expect, test } from "bun:test";
import {
  canonicalLid,
  canonicalPhone,
  chatIdOf,
  isBusinessScopedId,
  phoneKey,
} from "../../src/access/identity.ts";
import { numberForms } from "../../src/config/numbers.ts";

test.each<[raw: string, phone: string | null]>([
  ["15551234567", "+15551234567"],
  ["+15551234567", "+15551234567"],
  [" +1 (555) 123-45.67 ", "+15551234567"],
  ["+49\u00a0170\u20111234567", "+491701234567"],
  ["111", "+111"],
  ["123456789012345", "+123456789012345"],
  ["1234567890123456", null],
  ["12", null],
  ["0170123456", null],
  ["", null],
  ["+", null],
  ["Ada", null],
  ["15551234567@lid", null],
  ["US.13491208655302741918", null],
  ["+1555x123", null],
  ["١٢٣٤٥٦", null],
])("%p is %p", (raw, phone) => expect(canonicalPhone(raw)).toBe(phone));

test.each<[a: string, b: string, same: boolean, why: string]>([
  ["+15551234567", "1 555 123 4567", true, "punctuation"],
  ["+15551234567", "+15551234568", false, "another number"],
  ["+5511987654321", "+551187654321", true, "Brazil with and without the ninth digit"],
  ["5531999998888", "553199998888", true, "Brazil, another area"],
  ["+5511931234567", "+551131234567", false, "Brazil, a landline of somebody else"],
  ["+5511987654321", "+5521987654321", false, "Brazil, two areas"],
  ["+5491123456789", "+541123456789", true, "Argentina with and without the 9"],
  ["+5491123456789", "+541123456780", false, "Argentina, two numbers"],
  ["+5215512345678", "+525512345678", true, "Mexico with and without the 1"],
  ["+5215512345678", "+525512345679", false, "Mexico, two numbers"],
  ["+1521551234567", "+152551234567", false, "digits that only look Mexican"],
  ["+15511987654321", "+551187654321", false, "digits that only end as in Brazil"],
  ["+55119876543210", "+551187654321", false, "digits that only begin as in Brazil"],
  ["+15491123456789", "+541123456789", false, "digits that only end as in Argentina"],
  ["+54911234567890", "+541123456789", false, "digits that only begin as in Argentina"],
  ["+15215512345678", "+525512345678", false, "digits that only end as in Mexico"],
  ["+52155123456780", "+525512345678", false, "digits that only begin as in Mexico"],
  ["nobody", "nobody", false, "no number at all"],
])("%s and %s: %p (%s)", (a, b, same) => {
  const key = phoneKey(a);
  expect(key !== null && key === phoneKey(b)).toBe(same);
});

test("a folded key folds to itself", () => {
  for (const phone of ["+5511987654321", "+5491123456789", "+5215512345678", "+15551234567"]) {
    const key = phoneKey(phone) ?? "";
    expect(phoneKey(key)).toBe(key);
  }
});

test.each([
  ["+5511987654321", ["5511987654321", "551187654321"]],
  ["551187654321", ["551187654321", "5511987654321"]],
  ["551133334444", ["551133334444"]],
  ["+5491123456789", ["5491123456789", "541123456789"]],
  ["541123456789", ["541123456789", "5491123456789"]],
  ["5215512345678", ["5215512345678", "525512345678"]],
  ["+525512345678", ["525512345678", "5215512345678"]],
  ["+15551234567", ["15551234567"]],
  ["1234567890123456", ["1234567890123456"]],
])("%p has the forms %p", (phone, forms) => expect(numberForms(phone)).toEqual(forms));

test.each([
  ["US.13491208655302741918", true],
  ["DE.ENT.abc123", true],
  [`US.${"a".repeat(128)}`, true],
  [`US.${"a".repeat(129)}`, false],
  ["us.134", false],
  ["USA.134", false],
  ["US.", false],
  ["US.1 34", false],
  ["15551234567", false],
])("%p is a BSUID: %p", (raw, is) => expect(isBusinessScopedId(raw)).toBe(is));

test.each<[raw: string, lid: string | null]>([
  ["123@lid", "123@lid"],
  ["123:45@lid", "123@lid"],
  ["123_1:45@lid", "123@lid"],
  ["123@hosted.lid", "123@lid"],
  ["123@s.whatsapp.net", null],
  ["123", null],
  ["@lid", null],
  ["x123@lid", null],
  ["123@lid.x", null],
])("%p is LID %p", (raw, lid) => expect(canonicalLid(raw)).toBe(lid));

const phone = "+5511987654321";
const userId = "BR.134";
const lid = "99@lid";

test.each<[sender: Parameters<typeof chatIdOf>[0], id: string | null]>([
  [{ phone, userId, lid }, phone],
  [{ phone: null, userId, lid: null }, "BR.134"],
  [{ phone: null, userId: null, lid }, "99@lid"],
  [{ phone: "?", userId, lid: null }, "BR.134"],
  [{ phone: null, userId: null, lid: null }, null],
])("%j", (sender, id) => expect(chatIdOf(sender)).toBe(id));
