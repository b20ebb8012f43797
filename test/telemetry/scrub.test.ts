import { describe, expect, test } from "bun:test";
import { createScrubber, maskNumbers, maskPersonal } from "../../src/telemetry/scrub.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("a secret goes, and only the secret", () => {
  const secret = "key+of/9Ü? (it's)!";
  const scrub = createScrubber([secret]);
  const hidden = (text: string) => {
    expect(text).not.toBe("");
    const clean = scrub(`before ${text} after`);
    expect(clean).toStartWith("before ");
    expect(clean).toEndWith(" after");
    expect(clean).toContain("[redacted]");
    return clean;
  };

  test.each([
    ["as it stands", secret],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
    ["in an address", encodeURIComponent(secret)],
    ["in a form", new URLSearchParams({ s: secret }).toString().slice("s=".length)],
    ["in hex", Buffer.from(secret).toString("hex")],
    ["in hex of capitals", Buffer.from(secret).toString("hex").toUpperCase()],
  ])("%s", (_, text) => expect(hidden(text)).toBe("before [redacted] after"));

  test("twice in a text, each time", () => {
    expect(scrub(`${secret} and ${secret}`)).toBe("[redacted] and [redacted]");
  });

  test.each([0, 1, 2, 3, 4])("in base64 after %d other bytes", (others) => {
    const bytes = Buffer.from("x".repeat(others) + secret);
    // Only digits stay that hold other bytes as well, and those that fill up.
    const left = "before [redacted] after".length + Math.ceil((others * 8) / 6) + 4;
    expect(hidden(bytes.toString("base64")).length).toBeLessThanOrEqual(left);
    expect(hidden(bytes.toString("base64url")).length).toBeLessThanOrEqual(left);
  });
});

test("a secret of four characters is hidden, one of eight in hex and base64 as well", () => {
  expect(createScrubber(["abcd"])("is abcd it")).toBe("is [redacted] it");
  const scrub = createScrubber(["abcdefgh"]);
  expect(scrub(Buffer.from("abcdefgh").toString("hex"))).toBe("[redacted]");
  expect(scrub(`is ${base64("abcdefgh")}`)).toMatch(/^is \[redacted\].?=?$/);
});

test("what is special in an expression is not special in a secret", () => {
  for (const secret of [".*.*", "a|b|", "[abc]", "(a)+", "a\\d\\d", "^ab$", "{2,3}", "x-/y"]) {
    expect(createScrubber([secret])(`is ${secret} it`)).toBe("is [redacted] it");
    expect(createScrubber([secret])("aabb abcdefg")).toBe("aabb abcdefg");
  }
});

test("without secrets a text stays", () => {
  expect(createScrubber([])("nothing to hide, with 15550001111")).toBe(
    "nothing to hide, with 15550001111",
  );
});

test.each([
  ["https://ada@a.test/x", "https://[redacted]@a.test/x"],
  ["http://ada:pass@a.test refused", "http://[redacted]@a.test refused"],
  ["from http://a.test to b@c.test", "from http://a.test to b@c.test"],
  ["SOCKS5h://u:p@h:1", "SOCKS5h://[redacted]@h:1"],
  ["ada@a.test", "ada@a.test"],
])("the login of an address: %s", (text, clean) => {
  expect(createScrubber([])(text)).toBe(clean);
});

describe("numbers", () => {
  test.each([
    ["+15550001111", "+15…11"],
    ["from +15550001111, to +4915112345678.", "from +15…11, to +49…78."],
    ["+1234567", "+12…67"],
    ["+123456", "+123456"],
    ["15550001111", "15550001111"],
    ["15550001111@s.whatsapp.net", "15…11@s.whatsapp.net"],
    ["15550001111:12@s.whatsapp.net", "15…11:12@s.whatsapp.net"],
    ["15550001111_1:12@lid", "15…11_1:12@lid"],
    ["15550001111@c.us", "15…11@c.us"],
    ["15550001111@hosted", "15…11@hosted"],
    ["120363001234567@g.us", "120363001234567@g.us"],
    ["15550001111@example.com", "15550001111@example.com"],
  ])("%s in a text", (text, masked) => {
    expect(maskNumbers(text)).toBe(masked);
  });

  test.each([
    ["15550001111", "15…11"],
    ["+15550001111", "+15…11"],
    ["123456", "123456"],
    ["15550001111 and more", "15550001111 and more"],
  ])("%s of a person", (text, masked) => {
    expect(maskPersonal(text)).toBe(masked);
  });
});
