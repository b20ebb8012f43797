import { randomBytes } from "node:crypto";
import {
  Curve,
  aesDecryptCTR,
  aesDecryptGCM,
  aesEncryptCTR,
  derivePairingCodeKey,
  hkdf,
} from "@whiskeysockets/baileys";
import type { Account } from "./account.ts";
import type { Connection } from "./connection.ts";
import { Recorder } from "./recorder.ts";
import { type BinaryNode, SERVER, child, now, requiredBytes, result, stanza } from "./stanza.ts";

/** A client that shows a code and waits for it to be typed in. */
export interface CompanionHello {
  number: string;
  ref: string;
  connection: Connection;
  /** salt, IV and the companion's ephemeral key, under a key derived from the code */
  wrappedKey: Buffer;
}

interface CompanionFinish {
  ref: string;
  query: BinaryNode;
  connection: Connection;
}

/** What only the right code yields. */
export interface CodeSecrets {
  connection: Connection;
  identity: Buffer;
  advSecret: Buffer;
}

const SALT = 32;
const IV = 16;

/** Linking by code: companion_hello, primary_hello, companion_finish. */
export class PairingCodes {
  readonly hellos = new Recorder<CompanionHello>("companion_hello");
  private readonly finishes = new Recorder<CompanionFinish>("companion_finish");

  /** Takes the two queries of the flow; true if the stanza was one of them. */
  accept(connection: Connection, query: BinaryNode): boolean {
    const registration = child(query, "link_code_companion_reg");
    if (!registration) return false;
    const { stage, jid = "" } = registration.attrs;
    if (stage === "companion_hello") {
      const ref = randomBytes(16).toString("hex");
      const wrappedKey = requiredBytes(
        registration,
        "link_code_pairing_wrapped_companion_ephemeral_pub",
      );
      const number = jid.split("@")[0] ?? "";
      const answer = stanza("link_code_companion_reg", { stage: "companion_hello" }, [
        stanza("link_code_pairing_ref", {}, Buffer.from(ref)),
      ]);
      void connection.send(result(query, [answer]));
      this.hellos.add({ number, ref, connection, wrappedKey });
    } else {
      const ref = requiredBytes(registration, "link_code_pairing_ref").toString();
      void connection.send(result(query));
      this.finishes.add({ ref, query: registration, connection });
    }
    return true;
  }

  /** The phone's part. @throws when no client waits for this number, or the code is not its code. */
  async enter(account: Account, code: string, timeoutMs: number): Promise<CodeSecrets> {
    const hello = await this.waitingFor(account.number, timeoutMs);
    const primary = account.devices.get(0)?.signal.identity;
    if (!primary) throw new Error(`${account.number} has no phone`);
    const companionKey = await unwrap(hello.wrappedKey, code);
    const ephemeral = Curve.generateKeyPair();
    await hello.connection.send(
      stanza(
        "notification",
        { from: SERVER, type: "link_code_companion_reg", id: `code-${hello.ref}`, t: now() },
        [
          stanza("link_code_companion_reg", { stage: "primary_hello" }, [
            stanza("link_code_pairing_ref", {}, Buffer.from(hello.ref)),
            stanza("primary_identity_pub", {}, Buffer.from(primary.public)),
            stanza(
              "link_code_pairing_wrapped_primary_ephemeral_pub",
              {},
              await wrap(ephemeral.public, code),
            ),
          ]),
        ],
      ),
    );
    const finish = await this.finishes.waitFor(({ ref }) => ref === hello.ref, timeoutMs);
    const shared = Curve.sharedKey(ephemeral.private, companionKey);
    const { identity, random } = openBundle(finish.query, shared);
    const identityShared = Curve.sharedKey(primary.private, identity);
    const secret = Buffer.concat([shared, identityShared, random]);
    const advSecret = Buffer.from(hkdf(secret, 32, { info: "adv_secret" }));
    return { connection: finish.connection, identity, advSecret };
  }

  /** Tells the client that its code is stale: the notification comes without any key. */
  refresh(number: string): void {
    for (const hello of this.hellos.all) {
      if (hello.number !== number || hello.connection.closed) continue;
      void hello.connection.send(
        stanza(
          "notification",
          { from: SERVER, type: "link_code_companion_reg", id: `refresh-${hello.ref}`, t: now() },
          [
            stanza(
              "link_code_companion_reg",
              { stage: "refresh_code", force_manual_refresh: "true" },
              [stanza("link_code_pairing_ref", {}, Buffer.from(hello.ref))],
            ),
          ],
        ),
      );
    }
  }

  private async waitingFor(number: string, timeoutMs: number): Promise<CompanionHello> {
    const open = (hello: CompanionHello) => hello.number === number && !hello.connection.closed;
    const newest = this.hellos.all.findLast(open);
    return newest ?? this.hellos.waitFor(open, timeoutMs);
  }
}

async function unwrap(wrapped: Buffer, code: string): Promise<Buffer> {
  const key = await derivePairingCodeKey(code, wrapped.subarray(0, SALT));
  return aesDecryptCTR(wrapped.subarray(SALT + IV), key, wrapped.subarray(SALT, SALT + IV));
}

async function wrap(publicKey: Uint8Array, code: string): Promise<Buffer> {
  const salt = randomBytes(SALT);
  const iv = randomBytes(IV);
  const key = await derivePairingCodeKey(code, salt);
  return Buffer.concat([salt, iv, aesEncryptCTR(publicKey, key, iv)]);
}

/** The companion's identity key and a random share: readable only if both sides used one code. */
function openBundle(registration: BinaryNode, shared: Buffer) {
  const bundle = requiredBytes(registration, "link_code_pairing_wrapped_key_bundle");
  const key = Buffer.from(
    hkdf(shared, 32, {
      salt: bundle.subarray(0, 32),
      info: "link_code_pairing_key_bundle_encryption_key",
    }),
  );
  try {
    const opened = aesDecryptGCM(
      bundle.subarray(44),
      key,
      bundle.subarray(32, 44),
      Buffer.alloc(0),
    );
    return { identity: opened.subarray(0, 32), random: opened.subarray(64, 96) };
  } catch {
    throw new Error("the code does not match the one the client shows");
  }
}
