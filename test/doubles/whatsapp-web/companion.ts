import type { Account } from "./account.ts";
import type { Connection } from "./connection.ts";
import { Mailbox } from "./mailbox.ts";
import { Recorder } from "./recorder.ts";
import type { BinaryNode } from "./stanza.ts";

export interface PublicPreKey {
  id: number;
  publicKey: Buffer;
}

export interface SignedPublicPreKey extends PublicPreKey {
  signature: Buffer;
}

/** What a phone needs to open a Signal session with a device. */
export interface KeyBundle {
  registrationId: number;
  identity: Buffer;
  signedPreKey: SignedPublicPreKey;
  preKey: PublicPreKey | undefined;
}

/** A linked device as the server knows it: its public keys, its mail, its connection. */
export class Companion {
  readonly mailbox = new Mailbox();
  /** one-time pre-keys not yet handed out */
  preKeys: PublicPreKey[] = [];
  connection: Connection | undefined;
  /** what the client said of itself last: available or unavailable */
  presence: string | undefined;
  /** whether the phone has told it of the past */
  historySent = false;
  /** how often the signed pre-key was rotated */
  rotations = 0;
  readonly presences = new Recorder<string>("presence");

  constructor(
    readonly account: Account,
    readonly device: number,
    /** the key the client proves at every login */
    readonly noiseKey: Buffer,
    public registrationId: number,
    readonly identity: Buffer,
    public signedPreKey: SignedPublicPreKey,
  ) {}

  /** The device's phone-number address, e.g. `491701:1@s.whatsapp.net`. */
  get jid(): string {
    return this.account.jid(this.device);
  }

  get lid(): string {
    return this.account.lidJid(this.device);
  }

  /** Hands out one one-time pre-key; without one left the bundle has none, as with the real server. */
  takeBundle(): KeyBundle {
    const preKey = this.preKeys.shift();
    return {
      registrationId: this.registrationId,
      identity: this.identity,
      signedPreKey: this.signedPreKey,
      preKey,
    };
  }

  /** Delivers now if the device is online, at its next login otherwise, and again until acknowledged. */
  deliver(node: BinaryNode): void {
    this.mailbox.put(node);
    if (this.connection?.live) void this.connection.send(node);
    else this.connection?.backlog?.nodes.push(node);
  }
}
