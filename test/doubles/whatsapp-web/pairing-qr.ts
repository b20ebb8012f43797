import { randomBytes } from "node:crypto";
import type { Connection } from "./connection.ts";
import { SERVER, stanza } from "./stanza.ts";

/** The number of refs a real server hands out at once; the client shows one after the other. */
const REFS = 6;

/** The refs that QR codes are made of, each good for the connection it was given to. */
export class PairingRefs {
  private readonly refs = new Map<string, Connection>();

  /** `<pair-device>`: asks a fresh client to show a QR code. */
  offer(connection: Connection): void {
    const refs = Array.from({ length: REFS }, () => `2@${randomBytes(24).toString("base64")}`);
    for (const ref of refs) this.refs.set(ref, connection);
    void connection.send(
      stanza(
        "iq",
        { from: SERVER, type: "set", id: `qr-${randomBytes(4).toString("hex")}`, xmlns: "md" },
        [
          stanza(
            "pair-device",
            {},
            refs.map((ref) => stanza("ref", {}, Buffer.from(ref))),
          ),
        ],
      ),
    );
  }

  /** @throws when the code is unknown or its connection is gone. */
  take(ref: string): Connection {
    const connection = this.refs.get(ref);
    if (!connection) throw new Error("no such QR code: it is from another server or was used");
    this.refs.delete(ref);
    if (connection.closed) throw new Error("the QR code has expired: its connection is closed");
    return connection;
  }
}

export interface QrCode {
  ref: string;
  noiseKey: Buffer;
  identity: Buffer;
  advSecret: Buffer;
}

/** Reads what a QR code says: an address, then `#` and ref, noise key, identity key, ADV secret. */
export function parseQr(qr: string): QrCode {
  const [ref, noiseKey, identity, advSecret] = qr.slice(qr.indexOf("#") + 1).split(",");
  if (!ref || !noiseKey || !identity || !advSecret) throw new Error("this is no WhatsApp QR code");
  return {
    ref,
    noiseKey: Buffer.from(noiseKey, "base64"),
    identity: Buffer.from(identity, "base64"),
    advSecret: Buffer.from(advSecret, "base64"),
  };
}
