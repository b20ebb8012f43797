import { Curve, generateSignalPubKey } from "@whiskeysockets/baileys";
import { verifySignature } from "libsignal/src/curve.js";

/**
 * Whether a signature is good. Not `Curve.verify`: in Baileys 7.0.0-rc14 that ignores what libsignal
 * answers and says yes to every well-formed signature (lib/Utils/crypto.js:27-35).
 */
export function verifies(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) {
  try {
    return verifySignature(generateSignalPubKey(publicKey), message, signature);
  } catch {
    return false;
  }
}

/** Makes the Baileys of this process check signatures; gives the function that undoes it. */
export function strictBaileys(): () => void {
  const lenient = Curve.verify;
  Curve.verify = verifies;
  return () => {
    Curve.verify = lenient;
  };
}
