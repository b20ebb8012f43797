import { expect, test } from "bun:test";
import { createSeal } from "../../../src/channels/whatsapp-web/seal.ts";

const seal = createSeal(Buffer.alloc(32, 1));
const secret = Buffer.from("a secret between friends");

test.each([0, 1, 24, 100_000])("%i bytes come back as they were", (length) => {
  const plaintext = Buffer.alloc(length, 7);
  const sealed = seal.close("name", plaintext);
  expect(seal.open("name", sealed)).toEqual(plaintext);
  const within = new Uint8Array(Buffer.concat([Buffer.alloc(5), sealed, Buffer.alloc(5)]));
  expect(seal.open("name", within.subarray(5, 5 + sealed.length))).toEqual(plaintext);
});

test("what was sealed before opens", () => {
  const sealed = "017c6f81b53fb6ce870382e99b73380700319bbf7fc26044120219c85a7919f797143b67";
  const opened = createSeal(Buffer.alloc(32, 7)).open("entry:creds", Buffer.from(sealed, "hex"));
  expect(opened.toString()).toBe("a value");
});

test("what is sealed twice looks different, and nothing like its content", () => {
  const [one, two] = [seal.close("name", secret), seal.close("name", secret)];
  expect(one.equals(two)).toBe(false);
  expect(one.subarray(-24).equals(two.subarray(-24))).toBe(false);
  expect(one.includes("secret")).toBe(false);
});

test("nothing opens under another name or key, however little was changed or cut off", () => {
  const sealed = seal.close("name", secret);
  expect(() => seal.open("other", sealed)).toThrow();
  expect(() => createSeal(Buffer.alloc(32, 2)).open("name", sealed)).toThrow();
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(() => seal.open("name", changed)).toThrow();
    expect(() => seal.open("name", sealed.subarray(0, at))).toThrow();
  }
});
