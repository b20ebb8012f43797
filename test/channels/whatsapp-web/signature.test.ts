import { describe, expect, test } from "bun:test";
import { Curve } from "@whiskeysockets/baileys";
import { isSigned } from "../../../src/channels/whatsapp-web/signature.ts";

const message = Buffer.from("signed by a phone");

describe("XEdDSA signatures", () => {
  test.each(Array.from({ length: 20 }, (_, index) => [index]))(
    "a good one passes (%i)",
    (index) => {
      const pair = Curve.generateKeyPair();
      const text = Buffer.from(`message ${index}`);
      expect(isSigned(pair.public, text, Curve.sign(pair.private, text))).toBe(true);
    },
  );

  const pair = Curve.generateKeyPair();
  const signature = Curve.sign(pair.private, message);
  const flipped = (bytes: Uint8Array, at: number) => {
    const copy = Buffer.from(bytes);
    copy[at] = (copy[at] ?? 0) ^ 1;
    return copy;
  };

  test.each([
    ["another message", pair.public, Buffer.from("something else"), signature],
    ["another key", Curve.generateKeyPair().public, message, signature],
    ["a changed R", pair.public, message, flipped(signature, 3)],
    ["a changed S", pair.public, message, flipped(signature, 40)],
    ["a short signature", pair.public, message, signature.subarray(0, 63)],
    ["a key of another type", Buffer.concat([Buffer.from([6]), pair.public]), message, signature],
    ["a short key", pair.public.subarray(0, 31), message, signature],
    ["no signature", pair.public, message, Buffer.alloc(64)],
  ])("%s does not", (_, key, text, bytes) => {
    expect(isSigned(key, text, bytes)).toBe(false);
  });

  test("a key with its type byte is the same key", () => {
    const typed = Buffer.concat([Buffer.from([5]), pair.public]);
    expect(isSigned(typed, message, signature)).toBe(true);
  });

  test("a key that begins as the type byte does has none for it", () => {
    let own = Curve.generateKeyPair();
    while (own.public[0] !== 5) own = Curve.generateKeyPair();
    expect(isSigned(own.public, message, Curve.sign(own.private, message))).toBe(true);
  });
});
