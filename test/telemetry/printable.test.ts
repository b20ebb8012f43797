import { expect, test } from "bun:test";
import { printable } from "../../src/telemetry/printable.ts";

test.each([
  ["", ""],
  [" plain ~", " plain ~"],
  ["é 你 👍", "é 你 👍"],
  ["a\nb\tc\u001b[2J", "a\\u000ab\\u0009c\\u001b[2J"],
  ["a\u001f", "a\\u001f"],
  ["a\u007f", "a\\u007f"],
  ["a\u0085", "a\\u0085"],
  ["\u202eevil", "\\u202eevil"],
  ["a\u2028b\u2029", "a\\u2028b\\u2029"],
  ["a\u{e0001}", "a\\ue0001"],
])("%j is shown as %j", (text, shown) => expect(printable(text)).toBe(shown));
