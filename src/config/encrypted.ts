// By its name, so that the rest of the package stays out of the executable.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { once } from "../runtime/once.ts";
import type { DecryptSecrets } from "./load.ts";
import type { Outline } from "./outline.ts";
import { secretKeyBeside } from "./paths.ts";
import { formatKey, type KeyPath } from "./problems.ts";
import { isTable, type RawTable } from "./raw.ts";
import { readConfigText } from "./toml.ts";

const keyLength = 32;
const nonceLength = 12;
/** `enc2:` is ChaCha20-Poly1305 (nonce, text, tag), `enc:` what it wrote before: the key over and over, by XOR. */
const encrypted = /^(enc2?):(.*)$/s;

/**
 * Decrypts the secrets that the original wrote encrypted into the file at `configPath`; to it, the addresses of proxies
 * are secrets too. All else stays, also what `origins` names by key: that came from elsewhere.
 */
export const decryptSecrets: DecryptSecrets = (values, outline, configPath, origins) => {
  const problems: ReturnType<DecryptSecrets>["problems"] = [];
  const place = once(() => secretKeyBeside(configPath));
  const key = once(() => readKey(place()));
  const decrypt = (text: string, path: KeyPath): string => {
    const [, kind, hex] = encrypted.exec(text) ?? [];
    if (kind === undefined || hex === undefined || origins.has(formatKey(path))) return text;
    const failed = (message: string) => {
      problems.push({ path, message: `is encrypted, and ${message}` });
      return text;
    };
    const bytes = bytesOf(hex);
    if (!bytes) return failed("not whole: write it in plain");
    const { bytes: keyBytes, problem } = key();
    if (!keyBytes)
      return failed(`its key ${place()} ${problem}: bring it, or write the value in plain`);
    const plain = kind === "enc2" ? decipher(bytes, keyBytes) : repeatedXor(bytes, keyBytes);
    return utf8(plain) ?? failed(`the key in ${place()} does not decrypt it: write it in plain`);
  };
  return { values: eachSecret(values, outline, decrypt), problems };
};

function eachSecret(
  table: RawTable,
  outline: Outline,
  decrypt: (text: string, path: KeyPath) => string,
  path: KeyPath = [],
): RawTable {
  const decrypted: RawTable = {};
  for (const [name, item] of Object.entries(table)) {
    const part = outline.kind === "table" ? outline.keys.get(name) : undefined;
    const here = [...path, name];
    if (part?.kind === "text" && (part.secret || path[0] === "proxy") && typeof item === "string") {
      decrypted[name] = decrypt(item, here);
    } else decrypted[name] = part && isTable(item) ? eachSecret(item, part, decrypt, here) : item;
  }
  return decrypted;
}

function readKey(path: string): { bytes: Uint8Array | null; problem: string } {
  let bytes: Uint8Array | null;
  try {
    bytes = bytesOf(readConfigText(path).trim());
  } catch {
    return { bytes: null, problem: "cannot be read" };
  }
  if (bytes?.length === keyLength) return { bytes, problem: "" };
  return { bytes: null, problem: `is not ${keyLength * 2} hexadecimal digits` };
}

function bytesOf(hex: string): Uint8Array | null {
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? Uint8Array.from(Buffer.from(hex, "hex")) : null;
}

function decipher(encrypted: Uint8Array, key: Uint8Array): Uint8Array | null {
  try {
    const nonce = encrypted.subarray(0, nonceLength);
    return chacha20poly1305(key, nonce).decrypt(encrypted.subarray(nonceLength));
  } catch {
    return null;
  }
}

function repeatedXor(encrypted: Uint8Array, key: Uint8Array): Uint8Array {
  return encrypted.map((byte, i) => byte ^ (key[i % keyLength] ?? 0));
}

function utf8(bytes: Uint8Array | null): string | null {
  try {
    return bytes && new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
