import { expect, test } from "bun:test";
import {
  customPairCode,
  linkingText,
  pairPhoneDigits,
} from "../../../src/channels/whatsapp-web/linking.ts";
import { drawnQr } from "../../../src/channels/whatsapp-web/qr.ts";

test.each([
  ["revk-a123", "REVKA123"],
  ["ABCD 1234", "ABCD1234"],
  ["", null],
  ["ABC", null],
  ["ABCD123", null],
  ["ABCD12345", null],
  ["ABCDO234", null],
  ["ABCDI234", null],
  ["ABCDU234", null],
  ["ABCD0234", null],
])("the pair code %p is %p", (configured, code) => {
  expect(customPairCode(configured)).toBe(code);
});

test.each([
  ["+49 (170) 000-0001", "491700000001"],
  ["491700000001", "491700000001"],
  ["+1 555.000.1000", "15550001000"],
  ["123456", "123456"],
  ["12345", null],
  ["12345678901234567890", "12345678901234567890"],
  ["123456789012345678901", null],
  ["0170", null],
  ["01700000001", null],
  ["not a number", null],
  [undefined, null],
])("the number %p is %p", (configured, digits) => {
  expect(pairPhoneDigits(configured)).toBe(digits);
});

test("a pair code is shown with its dash", async () => {
  const text = await linkingText({ qr: null, pairCode: "ABCD1234", expiresAt: 0 });
  expect(text).toContain("ABCD-1234");
});

test("a QR code is drawn below what to do with it", async () => {
  const linking = { qr: "2@abc,def", pairCode: null, expiresAt: 0 };
  const [words, ...drawn] = (await linkingText(linking, { plain: true })).split("\n");
  expect(words).toEndWith("and scan");
  expect(drawn.join("\n")).toBe(await drawnQr("2@abc,def", { plain: true }));
});

test("without a code there is nothing to say", async () => {
  expect(await linkingText({ qr: null, pairCode: null, expiresAt: 0 })).toBe("");
});
