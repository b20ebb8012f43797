import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { markersIn, unwantedIn } from "../../scripts/build/unwanted.ts";

const scratch = mkdtempSync(join(tmpdir(), "revka-unwanted-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const baileys = "node_modules/@whiskeysockets/baileys/lib/index.js";
const nested = "node_modules/@whiskeysockets/baileys/node_modules/pino/pino.js";
const libsignal = "node_modules/libsignal/index.js";

test("a file of Baileys or libsignal is unwanted in the default variant only", () => {
  const files = ["src/main.ts", "node_modules/zod/index.js", baileys, nested, libsignal];
  expect(unwantedIn("default", files)).toEqual([baileys, nested, libsignal]);
  expect(unwantedIn("whatsapp-web", files)).toEqual([]);
});

const window = 4 * 1024 * 1024;

test.each([
  ["at the beginning", 0, "latin1"],
  ["across two reads", window - 3, "latin1"],
  ["at the end of a read", window - 6, "latin1"],
  ["in UTF-16, across two reads", window - 5, "utf16le"],
] as const)("a marker is found %s", (_, offset, encoding) => {
  const file = join(scratch, "file");
  const bytes = Buffer.alloc(2 * window, ".");
  bytes.write("MARKER", offset, encoding);
  writeFileSync(file, bytes);
  expect(markersIn(file, ["MARKER", "ABSENT"])).toEqual(["MARKER"]);
});
