import { describe, expect, test } from "bun:test";
import { signatureMatches } from "../../../src/channels/whatsapp-cloud/signature.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
/** The vector that Meta's page gives. */
const secret = "It's a Secret to Everybody";
const hex = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
const body = bytes("Hello, World!");

describe("signatureMatches", () => {
  const rows: [string, string | undefined | null, boolean][] = [
    ["Meta's vector", `sha256=${hex}`, true],
    ["upper case digits", `sha256=${hex.toUpperCase()}`, true],
    ["no header", undefined, false],
    ["empty", "", false],
    ["prefix missing", hex, false],
    ["prefix in upper case", `SHA256=${hex}`, false],
    ["the old header's prefix", `sha1=${hex}`, false],
    ["a space behind the prefix", `sha256= ${hex}`, false],
    ["words before the prefix", `sha1=0,sha256=${hex}`, false],
    ["a digit short", `sha256=${hex.slice(1)}`, false],
    ["a digit long", `sha256=${hex}0`, false],
    ["not hex", `sha256=${"g".repeat(64)}`, false],
    ["a line end behind", `sha256=${hex}\n`, false],
    ["one digit wrong", `sha256=${hex.slice(0, -1)}6`, false],
  ];
  test.each(rows)("%s", (_name, header, expected) => {
    expect(signatureMatches(header, body, secret)).toBe(expected);
  });

  test("holds for these very bytes only", () => {
    expect(signatureMatches(`sha256=${hex}`, bytes("Hello, World! "), secret)).toBe(false);
    expect(signatureMatches(`sha256=${hex}`, body, "another secret")).toBe(false);
  });
});
