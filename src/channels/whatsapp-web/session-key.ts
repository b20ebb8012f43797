import { randomBytes, scryptSync } from "node:crypto";
import { chmodSync, existsSync, linkSync, readFileSync, statSync, unlinkSync } from "node:fs";
import { join } from "node:path";
import { writePrivateFile } from "./private-file.ts";
import { SessionError } from "./session-error.ts";

export const KEY_BYTES = 32;
const SHORTEST_PASSPHRASE = 12;
/** About 32 MiB and a tenth of a second on a small computer, once at start. */
const SCRYPT = { N: 2 ** 15, r: 8, p: 1, maxmem: 64 * 1024 * 1024 };

export type KeyOrigin = "environment" | "credential" | "file";

/** The secret that opens a session: 32 bytes as they are, or a passphrase from which they are derived. */
export type SessionSecret =
  | { kind: "key"; key: Buffer; origin: KeyOrigin }
  | { kind: "passphrase"; passphrase: string; origin: KeyOrigin };

export interface KeyQuestion {
  env: Record<string, string | undefined>;
  sessionPath: string;
  /** Whether a session lies at the path: then a missing key is an error, and none is made. */
  sessionExists: boolean;
}

/** Where the key file of a session lies. */
export function keyFileOf(sessionPath: string): string {
  return `${sessionPath}.key`;
}

/**
 * The secret of a session, from `REVKA_SESSION_KEY`, else the systemd credential `revka-session-key`, else the file
 * `<session_path>.key`, which is made (mode 0600) where neither it nor a session exists. A key is 32 bytes as 64
 * hexadecimal digits or as base64; anything else of at least 12 characters is a passphrase.
 * Throws {@link SessionError}.
 */
export function findSessionSecret({ env, sessionPath, sessionExists }: KeyQuestion): SessionSecret {
  if (env.REVKA_SESSION_KEY) return parseSecret(env.REVKA_SESSION_KEY, "environment");
  const credential =
    env.CREDENTIALS_DIRECTORY && join(env.CREDENTIALS_DIRECTORY, "revka-session-key");
  if (credential && existsSync(credential)) {
    return parseSecret(readFileSync(credential, "utf8"), "credential");
  }
  const file = keyFileOf(sessionPath);
  if (existsSync(file)) {
    if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
    return parseSecret(readFileSync(file, "utf8"), "file");
  }
  if (sessionExists) {
    throw new SessionError(
      "missing_key",
      `the key of the WhatsApp session is missing: put ${file} back from the backup, or set REVKA_SESSION_KEY. The session was left as it is`,
    );
  }
  return { kind: "key", key: makeKeyFile(file), origin: "file" };
}

/** Tells a raw key from a passphrase. Throws {@link SessionError} where it is neither. */
export function parseSecret(text: string, origin: KeyOrigin): SessionSecret {
  const trimmed = text.trim();
  if (/^[0-9a-f]{64}$/i.test(trimmed)) {
    return { kind: "key", key: Buffer.from(trimmed, "hex"), origin };
  }
  if (/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed)) {
    return { kind: "key", key: Buffer.from(trimmed, "base64"), origin };
  }
  if (origin === "file" || trimmed.length < SHORTEST_PASSPHRASE) {
    throw new SessionError(
      "bad_key",
      origin === "file"
        ? "the key file of the WhatsApp session does not hold a key: put it back from the backup"
        : `the session key is neither 32 bytes (64 hexadecimal digits, or base64) nor a passphrase of at least ${SHORTEST_PASSPHRASE} characters`,
    );
  }
  return { kind: "passphrase", passphrase: trimmed, origin };
}

/** The 32 bytes of a secret. `salt` lies in the session. */
export function deriveKey(secret: SessionSecret, salt: Uint8Array): Buffer {
  if (secret.kind === "key") return secret.key;
  return scryptSync(secret.passphrase.normalize("NFKC"), salt, KEY_BYTES, SCRYPT);
}

/** Writes a whole file aside and links it into place, so that a crash leaves either no key or a whole one. */
function makeKeyFile(file: string): Buffer {
  const key = randomBytes(KEY_BYTES);
  const draft = `${file}.${randomBytes(6).toString("hex")}.new`;
  writePrivateFile(draft, `${key.toString("base64")}\n`);
  try {
    linkSync(draft, file);
  } finally {
    unlinkSync(draft);
  }
  return key;
}
