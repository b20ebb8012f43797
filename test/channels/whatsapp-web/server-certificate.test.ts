import { beforeEach, describe, expect, test } from "bun:test";
import { Curve, NOISE_WA_HEADER, makeNoiseHandler, proto } from "@whiskeysockets/baileys";
import { baileysLog } from "../../../src/channels/whatsapp-web/baileys-log.ts";
import { checkSignatures } from "../../../src/channels/whatsapp-web/signature.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { processRoot, trustRoot } from "../../doubles/whatsapp-web/certificate.ts";
import { NoiseServer } from "../../doubles/whatsapp-web/noise.ts";

beforeEach(() => {
  checkSignatures();
  trustRoot(processRoot.public);
});

/** Baileys' side of one handshake, and a server that answers it. */
function handshake(root = processRoot) {
  const keyPair = Curve.generateKeyPair();
  const logger = baileysLog(silentLog);
  const client = makeNoiseHandler({ keyPair, NOISE_HEADER: NOISE_WA_HEADER, logger });
  const hello = { clientHello: { ephemeral: keyPair.public } };
  const server = new NoiseServer(root);
  return {
    answer: (certified?: Uint8Array) =>
      server.answerHello(proto.HandshakeMessage.encode(hello).finish(), certified),
    take: (answer: Uint8Array) =>
      client.processHandshake(proto.HandshakeMessage.decode(answer), Curve.generateKeyPair()),
  };
}

const REFUSED = /^noise .*certificate signature invalid$/;
const another = () => Curve.generateKeyPair().public;

test("a server with a certificate for its own key is taken", () => {
  const { answer, take } = handshake();
  expect(take(answer())).toBeInstanceOf(Uint8Array);
});

describe("a server is refused", () => {
  test("whose certificate, however genuine, is for another key", () => {
    const { answer, take } = handshake();
    expect(() => take(answer(another()))).toThrow(REFUSED);
  });

  test.each([
    ["none", new Uint8Array()],
    ["a short one", another().subarray(0, 31)],
  ])("whose certificate is for a key that is no such key: %s", (_, key) => {
    const { answer, take } = handshake();
    expect(() => take(answer(key))).toThrow(REFUSED);
  });

  test("whose certificate is for its own key, but from another root", () => {
    const { answer, take } = handshake(Curve.generateKeyPair());
    expect(() => take(answer())).toThrow(REFUSED);
  });
});

test("of servers that are met side by side, each is judged by its own certificate", () => {
  const keys = [undefined, another(), undefined, another()];
  const met = keys.map((certified) => ({ certified, ...handshake() }));
  const answered = met.map((one) => ({ ...one, answer: one.answer(one.certified) }));
  for (const { certified, answer, take } of answered.toReversed()) {
    if (certified) expect(() => take(answer)).toThrow(REFUSED);
    else expect(take(answer)).toBeInstanceOf(Uint8Array);
  }
});

describe("what one handshake leaves behind", () => {
  const pair = Curve.generateKeyPair();
  const leaf = proto.CertChain.NoiseCertificate.Details.encode({ key: pair.public }).finish();
  const root = (message: Uint8Array) =>
    Curve.verify(processRoot.public, message, Curve.sign(processRoot.private, message));
  const vouched = () => Curve.verify(pair.public, leaf, Curve.sign(pair.private, leaf));
  const agreed = () => Curve.sharedKey(Curve.generateKeyPair().private, pair.public);

  test("vouches for no other: key and certificate must come anew", () => {
    const intermediate = Buffer.from("intermediate");
    agreed();
    vouched();
    expect(root(intermediate)).toBe(true);
    expect(root(intermediate)).toBe(false);
    vouched();
    expect(root(intermediate)).toBe(false);
    agreed();
    expect(root(intermediate)).toBe(false);
  });

  test("is nothing where the certificate was not signed", () => {
    agreed();
    vouched();
    Curve.verify(pair.public, leaf, Buffer.alloc(64));
    expect(root(Buffer.from("intermediate"))).toBe(false);
  });
});
