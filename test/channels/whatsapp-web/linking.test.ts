import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  customPairCode,
  linkingText,
  pairPhoneDigits,
  renderQr,
  renderQrPng,
} from "../../../src/channels/whatsapp-web/linking.ts";

/** As long as a real one: reference, three keys, platform. */
const payload = `2@${"A".repeat(110)},${"B".repeat(44)},${"C".repeat(44)},${"D".repeat(44)},1`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-qr-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test.each([
  ["revk-a123", "REVKA123"],
  ["ABCD 1234", "ABCD1234"],
  ["", null],
  ["ABC", null],
  ["ABCD12345", null],
  ["ABCDO234", null],
  ["ABCD0234", null],
])("the pair code %p is %p", (configured, code) => {
  expect(customPairCode(configured)).toBe(code);
});

test.each([
  ["+49 (170) 000-0001", "491700000001"],
  ["491700000001", "491700000001"],
  ["0170", null],
  ["not a number", null],
  [undefined, null],
])("the number %p is %p", (configured, digits) => {
  expect(pairPhoneDigits(configured)).toBe(digits);
});

test("a drawn QR code fits 80 columns, has a quiet zone, and both rows of each line are there", async () => {
  const lines = (await renderQr(payload, { plain: true })).split("\n");
  const width = [...(lines[0] ?? "")].length;
  expect(width).toBeLessThanOrEqual(80);
  expect(lines.every((line) => [...line].length === width)).toBe(true);
  expect(lines[0]).toBe("█".repeat(width));
  // The finder pattern's upper edge: seven dark modules behind four light ones.
  expect(lines[2]?.startsWith(`████ ▄▄▄▄▄ █`)).toBe(true);
});

test("a PNG is one, and only its owner may read it", async () => {
  const path = join(folder, "qr.png");
  await renderQrPng(payload, path);
  expect(readFileSync(path).subarray(1, 4).toString()).toBe("PNG");
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test("a pair code is shown with its dash", async () => {
  const text = await linkingText({ qr: null, pairCode: "ABCD1234", expiresAt: 0 });
  expect(text).toContain("ABCD-1234");
});
