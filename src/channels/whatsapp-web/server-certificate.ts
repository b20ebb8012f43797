import { WA_CERT_DETAILS, proto } from "@whiskeysockets/baileys";

const { Details } = proto.CertChain.NoiseCertificate;
const KEY_BYTES = 32;

/**
 * Whether the certificate in a handshake is for the server at its other end. Baileys 7.0.0-rc14 never compares the key
 * in it with the one that the server proves to hold, and WhatsApp hands its chain to any client: whoever stands between
 * could show it for a key of their own.
 *
 * Told of every key agreement and signature of the process. A handshake makes its own in one go, in this order
 * (`noise-handler.js:136-154`): agreement with the server's ephemeral key, then with its static one; the leaf's
 * signature, then the root's. So two connections do not mix, and in any other order nothing is taken.
 */
export class ServerCertificate {
  /** The key that the last agreement was with. */
  private agreed: Uint8Array | null = null;
  /** What was signed last; null where the signature was bad. */
  private leaf: Uint8Array | null = null;

  agreedWith(publicKey: Uint8Array): void {
    this.agreed = publicKey;
  }

  /** Whether what the key signed, well or not, may be taken; for WhatsApp's root key, whether the chain may. */
  mayTake(key: Uint8Array, message: Uint8Array, signed: boolean): boolean {
    const { agreed, leaf } = this;
    this.leaf = signed ? message : null;
    if (!Buffer.from(key).equals(WA_CERT_DETAILS.PUBLIC_KEY)) return signed;
    this.agreed = this.leaf = null;
    return signed && agreed !== null && leaf !== null && isFor(agreed, leaf);
  }
}

function isFor(key: Uint8Array, leaf: Uint8Array): boolean {
  const { key: certified } = Details.decode(leaf);
  return key.length === KEY_BYTES && Buffer.from(key).equals(certified ?? Buffer.alloc(0));
}
