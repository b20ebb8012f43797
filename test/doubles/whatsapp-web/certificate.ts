import { Curve, type KeyPair, WA_CERT_DETAILS, proto } from "@whiskeysockets/baileys";

const { Details } = proto.CertChain.NoiseCertificate;

/** The key at the top of the chain. One per process, since a client trusts exactly one. */
export const processRoot: KeyPair = Curve.generateKeyPair();

/** Makes Baileys in this process trust servers certified by `publicKey` and no others. */
export function trustRoot(publicKey: Uint8Array): void {
  WA_CERT_DETAILS.PUBLIC_KEY = Buffer.from(publicKey);
}

/** A chain root → intermediate → leaf for the server's static key, as the handshake carries it. */
export function certificateChain(root: KeyPair, serverStatic: Uint8Array): Uint8Array {
  const intermediateKey = Curve.generateKeyPair();
  const intermediate = Details.encode({
    serial: 1,
    issuerSerial: WA_CERT_DETAILS.SERIAL,
    key: intermediateKey.public,
  }).finish();
  const leaf = Details.encode({ serial: 2, issuerSerial: 1, key: serverStatic }).finish();
  return proto.CertChain.encode({
    intermediate: { details: intermediate, signature: Curve.sign(root.private, intermediate) },
    leaf: { details: leaf, signature: Curve.sign(intermediateKey.private, leaf) },
  }).finish();
}
