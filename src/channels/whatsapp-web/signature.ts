import { createPublicKey, verify } from "node:crypto";
import { Curve } from "@whiskeysockets/baileys";
import { ServerCertificate } from "./server-certificate.ts";

/** The prime of Curve25519. */
const P = 2n ** 255n - 19n;
/** Public keys travel with this type byte in front, or without. */
const KEY_TYPE = 5;

/**
 * Whether an XEdDSA signature is good: the Montgomery key as an Edwards key, its sign kept in the last bit of the
 * signature, then Ed25519. Source: Signal, "The XEdDSA and VXEdDSA Signature Schemes", section 3.
 */
export function isSigned(key: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const raw = key.length === 33 && key[0] === KEY_TYPE ? key.subarray(1) : key;
  if (raw.length !== 32 || signature.length !== 64) return false;
  const u = littleEndian(raw) & (2n ** 255n - 1n);
  if (u >= P) return false;
  const y = mod((u - 1n) * inverse(mod(u + 1n)));
  const edwards = bytesOf(y);
  const plain = Buffer.from(signature);
  const last = plain[63] ?? 0;
  edwards[31] = (edwards[31] ?? 0) | (last & 0x80);
  plain[63] = last & 0x7f;
  try {
    const jwk = { kty: "OKP", crv: "Ed25519", x: edwards.toString("base64url") };
    return verify(null, message, createPublicKey({ key: jwk, format: "jwk" }), plain);
  } catch {
    return false;
  }
}

let installed = false;

/**
 * Baileys 7.0.0-rc14 (`lib/Utils/crypto.js:23`) takes every well-formed signature for good: the server's certificate
 * and the phone's confirmation of the link go unchecked. Puts a check in its place, and has the certificate be the
 * server's own ({@link ServerCertificate}).
 */
export function checkSignatures(): void {
  if (installed) return;
  installed = true;
  const { sharedKey } = Curve;
  const certificate = new ServerCertificate();
  Curve.sharedKey = (privateKey, publicKey) => {
    certificate.agreedWith(publicKey);
    return sharedKey(privateKey, publicKey);
  };
  Curve.verify = (key, message, signature) =>
    certificate.mayTake(key, message, isSigned(key, message, signature));
}

function mod(value: bigint): bigint {
  const rest = value % P;
  return rest < 0n ? rest + P : rest;
}

/** By Fermat: value^(P-2). Only public values come here, so time may tell. */
function inverse(value: bigint): bigint {
  let result = 1n;
  let base = value;
  for (let power = P - 2n; power > 0n; power >>= 1n) {
    if (power & 1n) result = mod(result * base);
    base = mod(base * base);
  }
  return result;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

function bytesOf(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, "0"), "hex").reverse();
}
