import type { AuthenticationCreds, proto } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { InboundEvent } from "../message.ts";
import { DISAPPEARING, DisappearingChats } from "./disappearing.ts";
import { FirstContact } from "./first-contact.ts";
import { GroupCommit, type HeldChange } from "./group-commit.ts";
import { HistoryChunks } from "./history-chunks.ts";
import { type Mappings, type Self, isSameChat, storedMappings } from "./identity.ts";
import { IncomingStanzas } from "./incoming-stanzas.ts";
import { kindOf, lidOf, phoneOf } from "./jid.ts";
import { Journal, type StanzaAttributes } from "./journal.ts";
import { KeyStore, jsonOf, storedCredentials } from "./key-store.ts";
import { KeyTransactions } from "./key-transactions.ts";
import { partOf, toAskFor } from "./placeholder.ts";
import { SentMessages } from "./sent-messages.ts";
import { SessionDatabase, type SessionLocation } from "./session-database.ts";
import { type CarefulRepository, carefulRepository } from "./signal-repository.ts";

/** A group gets a message again for this long: with members who have it no more, an older one would come up as new. */
const GROUP_AGAIN_MS = 24 * 3_600_000;
const PRUNE_EVERY_MS = 6 * 3_600_000;
/** What a session leaves to the next: what it received for its number and nobody has taken over. */
export interface Legacy {
  number: string | null;
  events: InboundEvent[];
}
const NOTHING: Legacy = { number: null, events: [] };
const INHERITANCE = { type: "inherited", id: "events" };
const RELINK = { type: "relink", id: "begun" };
/** A session that a person puts back into its place later is one to keep. */
const RELINK_COUNTS_MS = 3_600_000;

export interface SessionHooks {
  /** A stanza was decrypted and is on disk. */
  onReceived: () => void;
  /** LIDs and numbers were found to belong together (as Baileys stores them). */
  onMappings: (stored: Record<string, string>) => void;
}

/** A linked device (or one to be linked): its keys, its journal, what it sent. */
export class Session {
  readonly creds: AuthenticationCreds;
  readonly journal: Journal;
  readonly sent: SentMessages;
  readonly incoming = new IncomingStanzas();
  readonly transactions: KeyTransactions;
  readonly repository: CarefulRepository;
  readonly mappings: Mappings;
  readonly disappearing: DisappearingChats;
  readonly history: HistoryChunks;
  readonly firstContact: FirstContact;
  private readonly store: KeyStore;
  readonly commit: GroupCommit;
  private legacy: Legacy;
  /** Who the credentials last said we are. */
  private known: { id: string | undefined; lid: string | undefined; self: Self } | undefined;
  private cancelPrune: () => void = () => {};

  private constructor(
    private readonly database: SessionDatabase,
    private readonly clock: Clock,
    hooks: SessionHooks,
  ) {
    this.store = new KeyStore(database);
    this.journal = new Journal(database);
    this.sent = new SentMessages(database);
    this.creds = this.store.loadCredentials();
    const inherited = this.store.get(INHERITANCE.type, INHERITANCE.id);
    this.legacy = inherited === undefined ? NOTHING : JSON.parse(inherited);
    this.commit = new GroupCommit(database, this.store);
    this.transactions = new KeyTransactions(
      this.commit,
      (label) => label === this.creds.me?.id || longLabels.has(label),
      hooks.onMappings,
    );
    const { transactions, commit, journal, incoming } = this;
    this.repository = carefulRepository({
      ...{ transactions, commit, journal, incoming, clock },
      self: () => this.self,
      onReceived: hooks.onReceived,
      onUnreadable: (stanza) => {
        const missing = toAskFor(stanza, this.self);
        if (missing) this.awaitContent(missing);
      },
    });
    this.mappings = storedMappings((id) => {
      const held = this.commit.get("lid-mapping", id);
      return held === undefined ? undefined : jsonOf(held);
    });
    const any = this.store.holds(DISAPPEARING);
    this.disappearing = new DisappearingChats(this.commit, this.mappings, any);
    this.history = new HistoryChunks(this.commit);
    this.firstContact = new FirstContact(this.commit, this.mappings);
    this.prune();
  }

  /** Opens the session at the path, or an empty one. Throws `SessionError`. */
  static open(location: SessionLocation, clock: Clock, hooks: SessionHooks): Session {
    const database = SessionDatabase.open(location);
    try {
      return new Session(database, clock, hooks);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** Linked: the phone has signed this device. A number alone is set before that by a pair code. */
  get linked(): boolean {
    return this.creds.account !== undefined;
  }

  /** Linked, and the server knows it: pre-keys are uploaded (`socket.js`, CB:success) by the first login only. */
  get confirmed(): boolean {
    return this.linked && this.creds.firstUnuploadedPreKeyId > 1;
  }

  get self(): Self {
    const { me } = this.creds;
    const known = this.known;
    if (known && known.id === me?.id && known.lid === me?.lid) return known.self;
    const self = { phone: phoneOf(me?.id), lid: lidOf(me?.lid) };
    this.known = { id: me?.id, lid: me?.lid, self };
    return self;
  }

  /**
   * A pair code that was never confirmed leaves the number in the credentials, and the next connection would log in
   * and be refused like a removed device (`socket.js:320`). Takes it out, so that it registers again.
   */
  dropUnfinishedLink(): void {
    if (!this.linked && this.creds.me) this.forgetLink();
  }

  /** The device is not linked after all: registers again under the same keys. */
  forgetLink(): void {
    delete this.creds.me;
    delete this.creds.account;
    this.creds.signalIdentities = [];
    this.creds.pairingCode = undefined;
    this.creds.registered = false;
    // Who asked to link anew asked it of the link that is gone.
    this.commit.stage({ changes: [{ ...RELINK, held: null }], alongside: [] });
    this.saveCredentials();
  }

  /** Durable once it returns, together with the keys that they speak of; throws where nothing of it was written. */
  saveCredentials(): void {
    const { type, id, json } = storedCredentials(this.creds);
    this.writeAtOnce({ type, id, held: json });
  }

  /**
   * A person asked to link anew: what is left of that goes on after a crash. Durable once it returns. Throws where it
   * cannot be written, which ends no connection: the phone is still to hear of it.
   */
  beginRelink(): void {
    const change = { ...RELINK, json: String(this.clock.now()) };
    this.database.transaction(() => this.store.apply([change]));
  }

  /** Within the last hour, as far as can be read. */
  get relinkBegun(): boolean {
    try {
      const begun = Number(this.store.get(RELINK.type, RELINK.id) ?? NaN);
      return Math.abs(this.clock.now() - begun) < RELINK_COUNTS_MS;
    } catch {
      return false;
    }
  }

  /** Durable once it returns. */
  inherit(legacy: Legacy): void {
    this.legacy = legacy;
    this.writeAtOnce({ ...INHERITANCE, held: JSON.stringify(legacy) });
  }

  /** What a session that lay here before had received and not handed over; nothing where that was another number's. */
  get inherited(): InboundEvent[] {
    const { number, events } = this.legacy;
    return this.linked && number !== this.self.phone ? [] : events;
  }

  /** Of what was inherited for another number nothing is taken up. Answers how much that was. */
  dropForeignLegacy(): number {
    const dropped = this.legacy.events.length - this.inherited.length;
    if (dropped > 0) {
      this.legacy = NOTHING;
      this.commit.stage({ changes: [{ ...INHERITANCE, held: null }], alongside: [] });
    }
    return dropped;
  }

  /** The inbox has what was inherited. */
  async inheritanceTaken(): Promise<void> {
    this.commit.stage({ changes: [{ ...INHERITANCE, held: null }], alongside: [] });
    await this.commit.written();
    this.legacy = NOTHING;
  }

  private writeAtOnce(change: HeldChange): void {
    this.commit.stage({ changes: [change], alongside: [] });
    const failures: unknown[] = [];
    this.commit.afterwards(
      () => {},
      (error) => failures.push(error),
    );
    this.commit.flush();
    if (failures.length > 0) throw failures[0];
  }

  /** The message with this id, for who asks for it again: ids can be known to others than whom it was for. */
  sentTo(chat: string, id: string): proto.IMessage | undefined {
    const sent = this.sent.get(id);
    if (!sent || !isSameChat(sent.chat, chat, this.self, this.mappings)) return undefined;
    const old = this.clock.now() - sent.at > GROUP_AGAIN_MS;
    return old && kindOf(chat) === "group" ? undefined : sent.message;
  }

  /** Has `write` done in the next durable transaction; resolves once it is on disk. */
  write(write: () => void): Promise<void> {
    this.commit.stage({ changes: [], alongside: [write] });
    return this.commit.written();
  }

  /**
   * A message came, and not its content. On disk before its acknowledgement leaves ({@link holdFrames}), so that the
   * phone is asked for it, come what may.
   */
  awaitContent(attributes: StanzaAttributes): void {
    const placeholder = { part: partOf(attributes), attributes };
    const now = this.clock.now();
    this.write(() => this.journal.putPlaceholder(placeholder, now)).catch(() => {});
  }

  /** After a failed send nobody may be taken to have a group's sender key. */
  forgetSenderKeyRecipients(group: string): Promise<void> {
    return this.transactions.set({ "sender-key-memory": { [group]: null } });
  }

  close(): void {
    this.finish();
    this.database.close();
  }

  /** Closes and moves the file out of its place; once settled, it stays beside it, and the answer is where. */
  leave(): { settle(): string } {
    this.finish();
    const left = this.database.leave(RELINK.type);
    return { settle: () => left.settle(this.clock.now()) };
  }

  private finish(): void {
    this.cancelPrune();
    this.commit.flush();
    this.commit.onFailed = () => {};
  }

  private prune(): void {
    const now = this.clock.now();
    try {
      this.database.transaction(() => {
        this.journal.prune(now);
        this.sent.prune(now);
      });
    } catch {
      // What is too old may stay until the next round; a full disk must end nothing.
    }
    this.cancelPrune = this.clock.after(PRUNE_EVERY_MS, () => this.prune());
  }
}

/** Fallback labels of Baileys' long transactions (`socket.js`, `messages-recv.js`). */
const longLabels = new Set(["upload-pre-keys", "sendRetryRequest"]);
