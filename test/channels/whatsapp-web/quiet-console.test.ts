import { expect, test } from "bun:test";
import { isLibsignalChatter } from "../../../src/channels/whatsapp-web/quiet-console.ts";

test.each([
  ["Closing session:", true],
  ["Opening session:", true],
  ["Removing old closed session:", true],
  ["Session already closed", true],
  ["Closing open session in favor of incoming prekey bundle", true],
  ["Failed to decrypt message with any known session...", true],
  ["Session error:Error: Bad MAC", true],
  ["Decrypted message with closed session.", true],
  ["Closing sessions of the day", false],
  ["Session opened for you", false],
  ["an error of our own", false],
  [new Error("Closing session:"), false],
  [undefined, false],
])("%p is libsignal's: %p", (first, expected) => {
  expect(isLibsignalChatter(first)).toBe(expected);
});
