import {
  Curve,
  type KeyPair,
  NOISE_MODE,
  NOISE_WA_HEADER,
  aesDecryptGCM,
  aesEncryptGCM,
  hkdf,
  proto,
  sha256,
} from "@whiskeysockets/baileys";
import { certificateChain } from "./certificate.ts";

const NOTHING = new Uint8Array(0);

function nonce(counter: number): Uint8Array {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, counter);
  return bytes;
}

function split(salt: Uint8Array, secret: Uint8Array): [Buffer, Buffer] {
  const key = Buffer.from(hkdf(Buffer.from(secret), 64, { salt: Buffer.from(salt), info: "" }));
  return [key.subarray(0, 32), key.subarray(32)];
}

/** What the client proves at the end of the handshake. */
export interface ClientFinish {
  /** the companion's long-lived public key: the server recognises a linked device by it */
  staticKey: Buffer;
  payload: proto.ClientPayload;
}

/** The server's side of Noise_XX_25519_AESGCM_SHA256 and of the frames that follow it. */
export class NoiseServer {
  private hash: Buffer = Buffer.from(NOISE_MODE);
  private salt: Buffer = this.hash;
  private key: Buffer = this.hash;
  private counter = 0;
  private readonly ephemeral = Curve.generateKeyPair();
  private readonly serverStatic = Curve.generateKeyPair();
  private sending: Buffer | undefined;
  private receiving: Buffer | undefined;
  private sent = 0;
  private received = 0;
  private unread: Buffer = Buffer.alloc(0);
  private introSeen = false;

  constructor(private readonly root: KeyPair) {}

  /** Takes bytes off the wire and gives the frames that are complete. */
  frames(bytes: Uint8Array): Buffer[] {
    this.unread = Buffer.concat([this.unread, bytes]);
    if (!this.introSeen && !this.skipIntro()) return [];
    const frames: Buffer[] = [];
    while (this.unread.length >= 3) {
      const size = this.unread.readUIntBE(0, 3);
      if (this.unread.length < size + 3) break;
      frames.push(Buffer.from(this.unread.subarray(3, size + 3)));
      this.unread = this.unread.subarray(size + 3);
    }
    return frames;
  }

  frame(payload: Uint8Array): Buffer {
    const head = Buffer.alloc(3);
    head.writeUIntBE(payload.length, 0, 3);
    return Buffer.concat([head, payload]);
  }

  /** clientHello → serverHello; the certificate is for this server's key unless told otherwise. */
  answerHello(frame: Uint8Array, certified: Uint8Array = this.serverStatic.public): Uint8Array {
    const hello = proto.HandshakeMessage.decode(frame).clientHello?.ephemeral;
    if (!hello) throw new Error("the first frame is no clientHello");
    this.mixHash(NOISE_WA_HEADER);
    this.mixHash(hello);
    this.mixHash(this.ephemeral.public);
    this.mixKey(Curve.sharedKey(this.ephemeral.private, hello));
    const encryptedStatic = this.seal(this.serverStatic.public);
    this.mixKey(Curve.sharedKey(this.serverStatic.private, hello));
    const payload = this.seal(certificateChain(this.root, certified));
    return proto.HandshakeMessage.encode({
      serverHello: { ephemeral: this.ephemeral.public, static: encryptedStatic, payload },
    }).finish();
  }

  /** clientFinish → who the client says it is; from here on frames are stanzas. */
  finish(frame: Uint8Array): ClientFinish {
    const finish = proto.HandshakeMessage.decode(frame).clientFinish;
    if (!finish?.static || !finish.payload) throw new Error("the second frame is no clientFinish");
    const staticKey = this.open(finish.static);
    this.mixKey(Curve.sharedKey(this.ephemeral.private, staticKey));
    const payload = proto.ClientPayload.decode(this.open(finish.payload));
    const [fromClient, toClient] = split(this.salt, NOTHING);
    this.receiving = fromClient;
    this.sending = toClient;
    return { staticKey, payload };
  }

  encrypt(plaintext: Uint8Array): Buffer {
    if (!this.sending) throw new Error("the handshake is not finished");
    return aesEncryptGCM(plaintext, this.sending, nonce(this.sent++), NOTHING);
  }

  decrypt(ciphertext: Uint8Array): Buffer {
    if (!this.receiving) throw new Error("the handshake is not finished");
    return aesDecryptGCM(ciphertext, this.receiving, nonce(this.received++), NOTHING);
  }

  /** `WA` and version bytes, before them at times `ED` and routing information. */
  private skipIntro(): boolean {
    let start = 0;
    if (this.unread.subarray(0, 2).toString() === "ED") {
      if (this.unread.length < 7) return false;
      start = 7 + this.unread.readUIntBE(4, 3);
    }
    const end = start + NOISE_WA_HEADER.length;
    if (this.unread.length < end) return false;
    if (!this.unread.subarray(start, end).equals(NOISE_WA_HEADER)) {
      throw new Error("the stream does not begin with the WhatsApp header");
    }
    this.unread = this.unread.subarray(end);
    this.introSeen = true;
    return true;
  }

  private mixHash(data: Uint8Array): void {
    this.hash = sha256(Buffer.concat([this.hash, data]));
  }

  private mixKey(secret: Uint8Array): void {
    [this.salt, this.key] = split(this.salt, secret);
    this.counter = 0;
  }

  private seal(plaintext: Uint8Array): Buffer {
    const sealed = aesEncryptGCM(plaintext, this.key, nonce(this.counter++), this.hash);
    this.mixHash(sealed);
    return sealed;
  }

  private open(ciphertext: Uint8Array): Buffer {
    const opened = aesDecryptGCM(ciphertext, this.key, nonce(this.counter++), this.hash);
    this.mixHash(ciphertext);
    return opened;
  }
}
