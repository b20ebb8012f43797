import { proto, unpadRandomMax16 } from "@whiskeysockets/baileys";
import type { Account } from "./account.ts";
import type { Companion } from "./companion.ts";
import { type Received, meaning } from "./received.ts";
import { Recorder } from "./recorder.ts";
import { type Encrypted, SignalDevice } from "./signal.ts";

/** A client's message on its way to one simulated device. */
export interface Envelope {
  id: string;
  sender: Companion;
  group: string | undefined;
  /** how the client addressed it: answers go out the same way */
  addressing: "pn" | "lid";
  /** the JID the client addressed */
  to: string;
  parts: Encrypted[];
}

/** What a device tells the sender of a message. */
export interface DeviceAnswers {
  delivered(device: PhoneDevice, envelope: Envelope): void;
  unreadable(device: PhoneDevice, envelope: Envelope, attempt: number): void;
  resolve(jid: string): Account | undefined;
}

/** Messages a phone gives up on after asking this often, as WhatsApp does. */
const MAX_RETRIES = 5;

/** One simulated device: it decrypts, records, drops duplicates, asks again for what it cannot read. */
export class PhoneDevice {
  signal = new SignalDevice();
  readonly inbox = new Recorder<Received>("message");
  /** each failed decryption */
  readonly undecryptable = new Recorder<{ id: string; error: string }>("undecryptable message");
  /** ids that came again after they had been read */
  readonly duplicates = new Recorder<string>("duplicate");
  /** set to stop the device from asking for a message again */
  asksForRetries = true;
  /** groups and clients that hold this device's sender key */
  readonly senderKeyHolders = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly attempts = new Map<string, number>();
  private work: Promise<void> = Promise.resolve();

  constructor(
    readonly account: Account,
    readonly id: number,
    private readonly answers: DeviceAnswers,
  ) {}

  /** The address peers' Signal stores use for this device inside the double. */
  get address(): string {
    return `${this.account.number}.${this.id}`;
  }

  /** Runs `task` after everything this device was asked to do before. */
  inOrder<T>(task: () => Promise<T>): Promise<T> {
    const run = this.work.then(task);
    this.work = run.then(
      () => undefined,
      () => undefined,
    );
    return run;
  }

  /** Sets the device up anew: other keys, no session with anyone. */
  reset(): void {
    this.signal = new SignalDevice();
    this.senderKeyHolders.clear();
  }

  accept(envelope: Envelope): void {
    void this.inOrder(() => this.read(envelope));
  }

  /** A message between simulated phones: no client sees it, so it travels in the clear. */
  acceptPlain(message: Omit<Received, keyof ReturnType<typeof meaning>>): void {
    this.record({ ...message, ...meaning(message.content) });
  }

  private async read(envelope: Envelope): Promise<void> {
    const { id, sender, parts } = envelope;
    const peer = peerOf(sender);
    try {
      let content: proto.IMessage | undefined;
      let encryption: Received["encryption"] = "plain";
      for (const part of parts) {
        const padded =
          part.type === "skmsg"
            ? await this.signal.decryptFromGroup(envelope.group ?? "", peer, part.ciphertext)
            : await this.signal.decrypt(peer, part.type, part.ciphertext);
        const message = proto.Message.decode(unpadRandomMax16(padded));
        const distribution = message.senderKeyDistributionMessage;
        if (distribution?.groupId && distribution.axolotlSenderKeyDistributionMessage) {
          const key = distribution.axolotlSenderKeyDistributionMessage;
          await this.signal.learnSenderKey(distribution.groupId, peer, key);
        }
        if (isContent(message)) {
          content = message;
          encryption = part.type;
        }
      }
      if (content) this.record(this.describe(envelope, content, encryption));
      this.answers.delivered(this, envelope);
    } catch (error) {
      this.undecryptable.add({ id, error: String(error) });
      const attempt = (this.attempts.get(id) ?? 0) + 1;
      this.attempts.set(id, attempt);
      if (this.asksForRetries && attempt <= MAX_RETRIES) {
        this.answers.unreadable(this, envelope, attempt);
      }
    }
  }

  private describe(
    envelope: Envelope,
    content: proto.IMessage,
    encryption: Received["encryption"],
  ): Received {
    const { sender, group } = envelope;
    const copy = content.deviceSentMessage;
    const message = copy?.message ?? content;
    const destination = copy?.destinationJid;
    const chat = destination
      ? (this.answers.resolve(destination)?.number ?? destination)
      : sender.account.number;
    return {
      id: envelope.id,
      from: sender.account.number,
      device: sender.device,
      chat: group ?? chat,
      fromOwnAccount: sender.account === this.account,
      content: message,
      encryption,
      at: Date.now(),
      ...meaning(message),
    };
  }

  private record(received: Received): void {
    if (this.seen.has(received.id)) {
      this.duplicates.add(received.id);
      return;
    }
    this.seen.add(received.id);
    this.inbox.add(received);
  }
}

export function peerOf(companion: Companion): string {
  return `${companion.account.number}.${companion.device}`;
}

/** Whether a message carries more than keys. */
function isContent(message: proto.IMessage): boolean {
  const { senderKeyDistributionMessage: _, messageContextInfo: __, ...rest } = message;
  return Object.values(rest).some((value) => value !== null && value !== undefined);
}
