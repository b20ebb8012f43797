import { generateMessageIDV2, type proto } from "@whiskeysockets/baileys";
import type { Account, Addressing } from "./account.ts";
import type { Companion } from "./companion.ts";
import { announceDevice, announceIdentity } from "./announcements.ts";
import { type Content, compose } from "./compose.ts";
import { Group } from "./groups.ts";
import type { PhoneDevice } from "./phone-device.ts";
import { type Outgoing, sendToCompanion } from "./phone-send.ts";
import { peerOf } from "./phone-device.ts";
import { newDevice, receipt, retryReceipt } from "./post.ts";
import { type Received, mediaOf } from "./received.ts";
import type { ClientReceipt } from "./receipts.ts";
import { Recorder } from "./recorder.ts";
import type { WhatsAppDouble } from "./server.ts";
import { now, stanza } from "./stanza.ts";

export interface SendOptions {
  id?: string;
  /** which of its addresses the phone is shown by; default: the phone's `addressing` */
  as?: Addressing;
  /** false hides the other address. Default true */
  alt?: boolean;
  /** seconds since 1970; default now */
  t?: number;
  /** damage the ciphertext, so that the client must ask again */
  garbled?: boolean;
  /** which of the phone's devices it is written on */
  device?: number;
}

export interface ChatState {
  from: string;
  state: "composing" | "recording" | "paused";
}

/** A person's phone: sends, receives, links clients. What it read is in `inbox`. */
export class Phone {
  readonly main: PhoneDevice;
  readonly receipts = new Recorder<ClientReceipt>("receipt");
  readonly chatStates = new Recorder<ChatState>("chat state");
  readonly outgoing = new Map<string, Outgoing>();
  /** how this phone's messages are addressed unless told otherwise */
  addressing: Addressing = "pn";
  /** what it does where a client asks for a file that is gone: uploads it again, says (in the clear) that it has none, is silent */
  mediaRetries: "uploads" | "lacks" | "lacks in the clear" | "fails" | "silent" = "uploads";
  /** the account may link devices only after a passkey check */
  requiresPasskey = false;
  /** what a newly linked client is told of the past; undefined sends nothing */
  history: { contacts: Phone[]; trust?: Map<Phone, Buffer> } | undefined = { contacts: [] };

  constructor(
    private readonly double: WhatsAppDouble,
    readonly account: Account,
  ) {
    this.main = newDevice(double, account, 0);
  }

  get number(): string {
    return this.account.number;
  }
  get jid(): string {
    return this.account.jid();
  }
  get lid(): string {
    return this.account.lidJid();
  }
  get inbox(): Recorder<Received> {
    return this.main.inbox;
  }
  get undecryptable(): PhoneDevice["undecryptable"] {
    return this.main.undecryptable;
  }
  get duplicates(): PhoneDevice["duplicates"] {
    return this.main.duplicates;
  }
  /** The clients linked to this account. */
  get companions(): Companion[] {
    return [...this.account.companions.values()];
  }

  /** Waits for a message with this text, or one that satisfies the test. */
  waitForMessage(
    wanted: string | ((message: Received) => boolean) = () => true,
    timeoutMs = 30_000,
  ): Promise<Received> {
    const matches =
      typeof wanted === "string" ? (message: Received) => message.text === wanted : wanted;
    return this.inbox.waitFor(matches, timeoutMs);
  }

  /** Adds a simulated second device (tablet, desktop) with Signal keys and an inbox of its own. */
  addDevice(): PhoneDevice {
    const device = newDevice(this.double, this.account, this.account.newDeviceId());
    announceDevice(this.double.directory, device);
    return device;
  }

  /** Installs WhatsApp anew: another identity key, no sessions. Only for accounts without links. */
  reinstall(): void {
    if (this.companions.length > 0) throw new Error("linked clients would be logged out");
    this.main.reset();
    announceIdentity(this.double.directory, this.main);
  }

  /** Scans a client's QR code. Resolves when the link is made. */
  scanQr(qr: string): Promise<Companion> {
    return this.double.linkByQr(this, qr);
  }

  /** Types in the code a client shows. Resolves when the link is made. */
  enterCode(code: string, timeoutMs = 30_000): Promise<Companion> {
    return this.double.linkByCode(this, code, timeoutMs);
  }

  /** Sends to a person, a group, or (given itself) to the chat with oneself. */
  async send(to: Phone | Group, content: Content | string, options: SendOptions = {}) {
    const message = await compose(
      typeof content === "string" ? { text: content } : content,
      this.double.media,
    );
    const device = this.account.devices.get(options.device ?? 0);
    if (!device) throw new Error(`${this.number} has no device ${options.device}`);
    const outgoing: Outgoing = {
      id: options.id ?? generateMessageIDV2(this.jid),
      message,
      to: to instanceof Group ? to : to.account,
      as: options.as ?? this.addressing,
      alt: options.alt ?? true,
      t: options.t ?? now(),
      garbled: options.garbled ?? false,
    };
    this.outgoing.set(outgoing.id, outgoing);
    const accounts = to instanceof Group ? to.members : [...new Set([to.account, this.account])];
    await device.inOrder(async () => {
      for (const account of accounts) await this.deliver(device, account, outgoing);
    });
    return { id: outgoing.id };
  }

  /** Posts to `status@broadcast`, where clients see what is no chat message. */
  postStatus(text: string, viewers: Phone[], options: SendOptions = {}) {
    const accounts = [this.account, ...viewers.map((viewer) => viewer.account)];
    return this.send(new Group("status", accounts, "pn", "status@broadcast"), text, options);
  }

  /** Tells the sender that a message was read, or a voice note played. */
  markRead(message: Received, type: "read" | "played" = "read"): void {
    const sender = this.double.directory.find(`${message.from}@s.whatsapp.net`);
    const companion = sender?.companions.get(message.device);
    if (!companion) return;
    const group = message.chat.endsWith("@g.us") ? message.chat : undefined;
    const envelope = { id: message.id, sender: companion, group, addressing: this.addressing };
    receipt(this.double, this.main, envelope, type);
  }

  /** Shows "typing…" in the chat with `to`. */
  typing(to: Phone, state: ChatState["state"] = "composing"): void {
    const tag = state === "recording" ? "composing" : state;
    const attrs = state === "recording" ? { media: "audio" } : {};
    for (const { connection } of to.companions) {
      const from = this.account.address(this.addressing);
      void connection?.send(stanza("chatstate", { from }, [stanza(tag, attrs)]));
    }
  }

  /** The bytes of a media message this phone received. */
  async download(message: Received): Promise<Buffer> {
    const media = mediaOf(message.content);
    if (!media) throw new Error(`${message.id} holds no media`);
    return this.double.media.decrypt(media[1], media[0]);
  }

  /** Asks a client once more for a message by its id, whoever it was for. */
  askAgain(companion: Companion, id: string): void {
    const envelope = {
      id,
      sender: companion,
      to: "",
      group: undefined,
      addressing: this.addressing,
    };
    retryReceipt(this.double, this.main, envelope, 2);
  }

  /** Drops the Signal session with a client, as a phone restored from a backup does. */
  forgetSession(companion: Companion): void {
    this.main.signal.forget(peerOf(companion));
  }

  private async deliver(device: PhoneDevice, account: Account, outgoing: Outgoing): Promise<void> {
    for (const companion of account.companions.values()) {
      await sendToCompanion(device, companion, outgoing);
    }
    for (const other of account.devices.values()) {
      if (other !== device) other.acceptPlain(this.plain(device, account, outgoing));
    }
  }

  private plain(device: PhoneDevice, account: Account, { id, to, message }: Outgoing) {
    const own = account === this.account;
    const chat = to instanceof Group ? to.jid : own ? to.number : this.number;
    return {
      id,
      from: this.number,
      device: device.id,
      chat,
      fromOwnAccount: own,
      content: message satisfies proto.IMessage,
      encryption: "plain" as const,
      at: Date.now(),
    };
  }
}
