import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { renderQr, renderQrPng } from "../../../src/channels/whatsapp-web/qr.ts";

/** As long as a real one: reference, three keys, platform. */
const payload = `2@${"A".repeat(110)},${"B".repeat(44)},${"C".repeat(44)},${"D".repeat(44)},1`;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-qr-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

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

test("a file that is there is replaced, its rights with it, and nothing is left beside it", async () => {
  const path = join(folder, "qr.png");
  writeFileSync(path, "old", { mode: 0o644 });
  await renderQrPng(payload, path);
  expect(readFileSync(path).subarray(1, 4).toString()).toBe("PNG");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["qr.png"]);
});
