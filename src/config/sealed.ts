// By its name, so that the rest of the package stays out of the executable.
import { chacha20poly1305 } from "@noble/ciphers/chacha.js";
import { once } from "../runtime/once.ts";
import type { OpenSealed } from "./load.ts";
import type { Outline } from "./outline.ts";
import { formatKey, type KeyPath } from "./problems.ts";
import { isTable, type RawTable } from "./raw.ts";
import { readConfigText } from "./toml.ts";

/** Where the original keeps the key of its `[secrets] encrypt = true`, the default: beside the configuration. */
const keyFile = ".secret_key";
const keyBytes = 32;
const nonceBytes = 12;
/** `enc2:` is ChaCha20-Poly1305 (nonce, text, tag), `enc:` what it wrote before: the key over and over, by XOR. */
const seal = /^(enc2?):(.*)$/s;

/**
 * Opens the secrets that the original wrote encrypted into the file at `configPath`. All else stays, also what `origins`
 * names by key: that came from elsewhere.
 */
export const openSealed: OpenSealed = (values, outline, configPath, origins) => {
  const problems: ReturnType<OpenSealed>["problems"] = [];
  const place = once(() => keyPlace(configPath));
  const key = once(() => readKey(place()));
  const open = (text: string, path: KeyPath): string => {
    const [, kind, hex] = seal.exec(text) ?? [];
    if (kind === undefined || hex === undefined || origins.has(formatKey(path))) return text;
    const failed = (message: string) => {
      problems.push({ path, message: `is encrypted, and ${message}` });
      return text;
    };
    const sealed = bytesOf(hex);
    if (!sealed) return failed("not whole: write it in plain");
    const { bytes, problem } = key();
    if (!bytes)
      return failed(`its key ${place()} ${problem}: bring it, or write the value in plain`);
    const plain = kind === "enc2" ? decipher(sealed, bytes) : repeatedXor(sealed, bytes);
    return utf8(plain) ?? failed(`the key in ${place()} does not open it: write it in plain`);
  };
  return { values: eachSecret(values, outline, open), problems };
};

function eachSecret(
  table: RawTable,
  outline: Outline,
  open: (text: string, path: KeyPath) => string,
  path: KeyPath = [],
): RawTable {
  const opened: RawTable = {};
  for (const [name, item] of Object.entries(table)) {
    const part = outline.kind === "table" ? outline.keys.get(name) : undefined;
    const here = [...path, name];
    if (part?.kind === "text" && part.secret && typeof item === "string") {
      opened[name] = open(item, here);
    } else opened[name] = part && isTable(item) ? eachSecret(item, part, open, here) : item;
  }
  return opened;
}

function keyPlace(configPath: string): string {
  const { dirname, join } = process.getBuiltinModule("node:path");
  return join(dirname(configPath), keyFile);
}

function readKey(path: string): { bytes: Uint8Array | null; problem: string } {
  let bytes: Uint8Array | null;
  try {
    bytes = bytesOf(readConfigText(path).trim());
  } catch {
    return { bytes: null, problem: "cannot be read" };
  }
  if (bytes?.length === keyBytes) return { bytes, problem: "" };
  return { bytes: null, problem: `is not ${keyBytes * 2} hexadecimal digits` };
}

function bytesOf(hex: string): Uint8Array | null {
  return /^(?:[0-9a-f]{2})+$/i.test(hex) ? Uint8Array.from(Buffer.from(hex, "hex")) : null;
}

function decipher(sealed: Uint8Array, key: Uint8Array): Uint8Array | null {
  try {
    const nonce = sealed.subarray(0, nonceBytes);
    return chacha20poly1305(key, nonce).decrypt(sealed.subarray(nonceBytes));
  } catch {
    return null;
  }
}

function repeatedXor(sealed: Uint8Array, key: Uint8Array): Uint8Array {
  return sealed.map((byte, i) => byte ^ (key[i % keyBytes] ?? 0));
}

function utf8(bytes: Uint8Array | null): string | null {
  try {
    return bytes && new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return null;
  }
}
