import { Curve, generateRegistrationId, generateSignalPubKey } from "@whiskeysockets/baileys";
import {
  GroupCipher,
  GroupSessionBuilder,
  SenderKeyDistributionMessage,
  SenderKeyName,
  SenderKeyRecord,
} from "@whiskeysockets/baileys/lib/Signal/Group/index.js";
import { ProtocolAddress, SessionBuilder, SessionCipher, SessionRecord } from "libsignal";
import type { KeyBundle } from "./companion.ts";

/** The parts of a libsignal session entry that the published types leave out. */
interface SessionEntry {
  serialize(): unknown;
  constructor: { deserialize(data: unknown): SessionEntry };
}
interface SessionCipherInside {
  doDecryptWhisperMessage(ciphertext: Buffer, session: SessionEntry): Promise<Buffer>;
}

/**
 * libsignal 6.0.0 leaves a session it tried in vain mutated and saves it when another one fits.
 * A phone must not suffer from that: each attempt runs on a copy, adopted only on success.
 */
function careful(cipher: SessionCipher): SessionCipher {
  const inside = cipher as unknown as SessionCipherInside;
  const attempt = inside.doDecryptWhisperMessage.bind(cipher);
  inside.doDecryptWhisperMessage = async (ciphertext, session) => {
    if (!session) return attempt(ciphertext, session);
    const copy = session.constructor.deserialize(session.serialize());
    const plaintext = await attempt(ciphertext, copy);
    if (!("pendingPreKey" in copy)) Reflect.deleteProperty(session, "pendingPreKey");
    Object.assign(session, copy);
    return plaintext;
  };
  return cipher;
}

export interface Encrypted {
  type: "pkmsg" | "msg" | "skmsg";
  ciphertext: Buffer;
}

/**
 * The Signal keys and sessions of one simulated device, in memory.
 * Peers are named by one address each, whatever JID a stanza shows.
 */
export class SignalDevice {
  readonly identity = Curve.generateKeyPair();
  readonly registrationId = generateRegistrationId();
  private readonly signedPreKey = Curve.generateKeyPair();
  private readonly preKeys = new Map<number, ReturnType<typeof Curve.generateKeyPair>>();
  private readonly sessions = new Map<string, SessionRecord>();
  private readonly senderKeys = new Map<string, SenderKeyRecord>();
  private nextPreKey = 1;

  /** A bundle with a fresh one-time pre-key, for a client that opens a session. */
  newBundle(): KeyBundle {
    const id = this.nextPreKey++;
    const pair = Curve.generateKeyPair();
    this.preKeys.set(id, pair);
    const signedPublic = generateSignalPubKey(this.signedPreKey.public);
    return {
      registrationId: this.registrationId,
      identity: Buffer.from(this.identity.public),
      signedPreKey: {
        id: 1,
        publicKey: Buffer.from(this.signedPreKey.public),
        signature: Buffer.from(Curve.sign(this.identity.private, signedPublic)),
      },
      preKey: { id, publicKey: Buffer.from(pair.public) },
    };
  }

  hasSession(peer: string): boolean {
    return this.sessions.get(address(peer).toString())?.haveOpenSession() ?? false;
  }

  /** Forgets the session, as a phone does that was restored from a backup. */
  forget(peer: string): void {
    this.sessions.delete(address(peer).toString());
  }

  async openSession(peer: string, bundle: KeyBundle): Promise<void> {
    const preKey = bundle.preKey && {
      keyId: bundle.preKey.id,
      publicKey: generateSignalPubKey(bundle.preKey.publicKey),
    };
    const device = {
      registrationId: bundle.registrationId,
      identityKey: generateSignalPubKey(bundle.identity),
      signedPreKey: {
        keyId: bundle.signedPreKey.id,
        publicKey: generateSignalPubKey(bundle.signedPreKey.publicKey),
        signature: bundle.signedPreKey.signature,
      },
    };
    // libsignal takes a bundle without a one-time pre-key, though its types demand one.
    type Bundle = Parameters<SessionBuilder["initOutgoing"]>[0];
    const complete = preKey ? { ...device, preKey } : device;
    await new SessionBuilder(this.store, address(peer)).initOutgoing(complete as Bundle);
  }

  async encrypt(peer: string, plaintext: Uint8Array): Promise<Encrypted> {
    const cipher = new SessionCipher(this.store, address(peer));
    const { type, body } = await cipher.encrypt(Buffer.from(plaintext));
    return { type: type === 3 ? "pkmsg" : "msg", ciphertext: Buffer.from(body, "binary") };
  }

  decrypt(peer: string, type: string, ciphertext: Buffer): Promise<Buffer> {
    const cipher = careful(new SessionCipher(this.store, address(peer)));
    return type === "pkmsg"
      ? cipher.decryptPreKeyWhisperMessage(ciphertext)
      : cipher.decryptWhisperMessage(ciphertext);
  }

  /** What others need to read this device's messages to `group`. */
  async senderKeyDistribution(group: string, self: string): Promise<Buffer> {
    const builder = new GroupSessionBuilder(this.senderKeyStore);
    const message = await builder.create(new SenderKeyName(group, address(self)));
    return Buffer.from(message.serialize());
  }

  async encryptToGroup(group: string, self: string, plaintext: Uint8Array): Promise<Encrypted> {
    const cipher = new GroupCipher(this.senderKeyStore, new SenderKeyName(group, address(self)));
    return { type: "skmsg", ciphertext: Buffer.from(await cipher.encrypt(plaintext)) };
  }

  async learnSenderKey(group: string, sender: string, distribution: Uint8Array): Promise<void> {
    const message = new SenderKeyDistributionMessage(null, null, null, null, distribution);
    const builder = new GroupSessionBuilder(this.senderKeyStore);
    await builder.process(new SenderKeyName(group, address(sender)), message);
  }

  async decryptFromGroup(group: string, sender: string, ciphertext: Buffer): Promise<Buffer> {
    const cipher = new GroupCipher(this.senderKeyStore, new SenderKeyName(group, address(sender)));
    return Buffer.from(await cipher.decrypt(ciphertext));
  }

  private readonly senderKeyStore = {
    loadSenderKey: async (name: SenderKeyName) =>
      this.senderKeys.get(name.toString()) ?? new SenderKeyRecord(),
    storeSenderKey: async (name: SenderKeyName, record: SenderKeyRecord) => {
      this.senderKeys.set(name.toString(), record);
    },
  };

  private readonly store = {
    // A copy each time: a failed decryption must leave no trace.
    loadSession: async (id: string) => {
      const record = this.sessions.get(id);
      return record && SessionRecord.deserialize(record.serialize());
    },
    storeSession: async (id: string, record: SessionRecord) => {
      this.sessions.set(id, record);
    },
    isTrustedIdentity: () => true,
    loadPreKey: async (id: number | string) => {
      const pair = this.preKeys.get(Number(id));
      return pair && { privKey: Buffer.from(pair.private), pubKey: Buffer.from(pair.public) };
    },
    removePreKey: (id: number) => {
      this.preKeys.delete(id);
    },
    loadSignedPreKey: () => ({
      privKey: Buffer.from(this.signedPreKey.private),
      pubKey: Buffer.from(this.signedPreKey.public),
    }),
    getOurRegistrationId: () => this.registrationId,
    getOurIdentity: () => ({
      privKey: Buffer.from(this.identity.private),
      pubKey: Buffer.from(generateSignalPubKey(this.identity.public)),
    }),
  };
}

/** `491701.2`: account and device. */
function address(peer: string): ProtocolAddress {
  const [account = "", device = "0"] = peer.split(".");
  return new ProtocolAddress(account, Number(device));
}
