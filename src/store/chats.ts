import type {
  Backend,
  ChannelName,
  Chat,
  Message,
  Recipient,
  Sender,
} from "../channels/message.ts";
import type { ChatId, Source, StoredChat } from "./contract.ts";
import type { Database } from "./database.ts";
import type { People } from "./people.ts";
import type { Sources } from "./sources.ts";

interface ChatRow {
  id: number;
  kind: Chat["kind"];
  person: number | null;
  group_id: string | null;
  paused: number;
  last_inbound_at: number | null;
  channel: ChannelName;
  account: string;
  backend: Backend;
}

const chatSelect = `SELECT chats.id, kind, person, group_id, paused, chats.last_inbound_at, channel, account, backend
  FROM chats JOIN sources ON sources.id = chats.source`;

/** Chats kept at hand. */
const CACHED_CHATS = 10_000;
/** The 24-hour window is kept to the minute: not every message writes, ms. */
const WINDOW_PRECISION = 60_000;

/** Who can be answered, and where. */
export class Chats {
  readonly #found = new Map<string, { id: ChatId; inboundAt: number }>();
  /** Chats as they are in the file: whatever writes what is in one takes it out. */
  readonly #read = new Map<ChatId, StoredChat>();

  constructor(
    readonly database: Database,
    sources: Sources,
    readonly people: People,
  ) {
    sources.changed = people.changed = () => this.#read.clear();
  }

  /** The chat a message belongs to, found or made, its sender's identities remembered, its window open. */
  ofMessage(source: number, message: Message, now: number): ChatId {
    const person = this.#personOf(source, message.sender);
    const { chat } = message;
    const [of, group] = chat.kind === "group" ? [null, chat.id] : [person, null];
    const found = this.#find(source, chat.kind, of, group);
    const at = Math.min(now, message.timestamp * 1000);
    if (at - found.inboundAt >= WINDOW_PRECISION) {
      this.touchInbound(found.id, at);
      found.inboundAt = at;
    }
    return found.id;
  }

  /** The chat of a recipient that an operator named. */
  ofRecipient(source: number, target: Recipient): ChatId {
    if (target.kind === "group") return this.find(source, "group", null, target.id);
    if (target.kind === "self") return this.#own(source) ?? this.find(source, "self", null, null);
    const person = this.#personOf(source, { ...target, username: null });
    return this.find(source, "direct", person, null);
  }

  /** The chat that the owner's own messages came in; null before the first. */
  #own(source: number): ChatId | null {
    const row = this.database
      .sql(
        "SELECT id FROM chats WHERE source = ? AND kind = 'self' AND person IS NOT NULL ORDER BY id DESC LIMIT 1",
      )
      .get(source) as { id: ChatId } | undefined;
    return row?.id ?? null;
  }

  /**
   * These identities were seen together: what is known of one holds for all, and chats of one person become one. Of
   * someone who never wrote and was never written to, nothing is kept.
   */
  link(source: number, identity: Sender): void {
    if (this.people.knows(source, identity)) this.#personOf(source, identity);
  }

  /** Is this who a direct chat, or the own one, is held with? Nobody holds a group alone. */
  isWith(chat: ChatId, source: number, sender: Sender): boolean {
    const row = this.database.sql("SELECT person FROM chats WHERE id = ?").get(chat) as
      { person: number | null } | undefined;
    const person = row?.person == null ? null : this.people.byId(row.person);
    return person !== null && this.people.same(source, person, sender);
  }

  #personOf(
    source: number,
    identity: Pick<Sender, "phone" | "userId" | "lid" | "username">,
  ): number {
    const { person, merged } = this.people.remember(source, identity);
    for (const old of merged) this.#mergePerson(source, old, person);
    return person;
  }

  /** The chat that `id` stands for today. */
  current(id: ChatId): ChatId {
    const row = this.database.sql("SELECT merged_into FROM chats WHERE id = ?").get(id) as
      { merged_into: ChatId | null } | undefined;
    return row?.merged_into == null ? id : this.current(row.merged_into);
  }

  /** Forgets what is at hand: after a rollback it may never have been. */
  forget(): void {
    this.#found.clear();
    this.#read.clear();
    this.people.forget();
  }

  find(source: number, kind: Chat["kind"], person: number | null, group: string | null): ChatId {
    return this.#find(source, kind, person, group).id;
  }

  #find(
    source: number,
    kind: Chat["kind"],
    person: number | null,
    group: string | null,
  ): { id: ChatId; inboundAt: number } {
    const key = keyOf(source, kind, person, group);
    const known = this.#found.get(key);
    if (known) return known;
    const found = { id: this.#findOrMake(source, kind, person, group), inboundAt: 0 };
    if (this.#found.size >= CACHED_CHATS) this.#found.clear();
    this.#found.set(key, found);
    return found;
  }

  #findOrMake(
    source: number,
    kind: Chat["kind"],
    person: number | null,
    group: string | null,
  ): ChatId {
    const row = this.database
      .sql(
        `SELECT id FROM chats WHERE source = ? AND kind = ? AND ifnull(person, 0) = ? AND ifnull(group_id, '') = ?`,
      )
      .get(source, kind, person ?? 0, group ?? "") as { id: number } | undefined;
    if (row) return row.id;
    const made = this.database
      .sql("INSERT INTO chats (source, kind, person, group_id) VALUES (?, ?, ?, ?)")
      .run(source, kind, person, group);
    return Number(made.lastInsertRowid);
  }

  /** Called when a chat was joined with another: what waits in the old one is to move. */
  joined: (old: ChatId, chat: ChatId) => void = () => {};

  /** Two persons turned out to be one: their chats become one, in the order things happened. */
  #mergePerson(source: number, old: number, person: number): void {
    this.#found.clear();
    this.#read.clear();
    for (const kind of ["direct", "self"] as const) {
      const row = this.database
        .sql("SELECT id, last_inbound_at FROM chats WHERE source = ? AND kind = ? AND person = ?")
        .get(source, kind, old) as { id: number; last_inbound_at: number | null } | undefined;
      if (!row) continue;
      const chat = this.find(source, kind, person, null);
      // Only what is still to be worked on moves: what is done may be much, and is found through `current`.
      for (const which of [
        "outbox SET chat = ? WHERE chat = ? AND state < 2",
        "history SET chat = ? WHERE chat = ?",
      ]) {
        this.database.sql(`UPDATE ${which}`).run(chat, row.id);
      }
      this.joined(row.id, chat);
      if (row.last_inbound_at !== null) this.touchInbound(chat, row.last_inbound_at);
      // A person who took one of them over has taken over both.
      this.database
        .sql(
          "UPDATE chats SET paused = 1 WHERE id = ? AND (SELECT paused FROM chats WHERE id = ?) = 1",
        )
        .run(chat, row.id);
      this.database
        .sql(
          `UPDATE chats SET kind = 'merged', person = NULL, group_id = CAST(id AS TEXT), merged_into = ?, paused = 0,
           last_inbound_at = NULL WHERE id = ?`,
        )
        .run(chat, row.id);
    }
    this.database.sql("DELETE FROM people WHERE id = ?").run(old);
  }

  /** Someone of this chat wrote at `at`. */
  touchInbound(chat: ChatId, at: number): void {
    this.#read.delete(chat);
    this.database
      .sql("UPDATE chats SET last_inbound_at = max(ifnull(last_inbound_at, 0), ?) WHERE id = ?")
      .run(at, chat);
  }

  /** A person took this chat over, or gave it back; false where it was so before. Runs inside a transaction. */
  setPaused(id: ChatId, paused: boolean): boolean {
    const chat = this.current(id);
    this.#read.delete(chat);
    const now = paused ? 1 : 0;
    const { changes } = this.database
      .sql("UPDATE chats SET paused = ? WHERE id = ? AND paused <> ?")
      .run(now, chat, now);
    return Number(changes) > 0;
  }

  /** The chat that `id` stands for today. Call it outside of transactions. */
  get(id: ChatId): Readonly<StoredChat> | null {
    // What was read is cleared where chats are joined: a chat that is found in it stands for itself.
    const known = this.#read.get(id);
    if (known) return known;
    const current = this.current(id);
    const row = this.database.sql(`${chatSelect} WHERE chats.id = +?`).get(current);
    if (!row) return null;
    const chat = this.#toChat(row as unknown as ChatRow);
    if (this.#read.size >= CACHED_CHATS) this.#read.clear();
    this.#read.set(current, chat);
    return chat;
  }

  paused(): StoredChat[] {
    const rows = this.database.sql(`${chatSelect} WHERE paused = 1`).all();
    return rows.map((row) => this.#toChat(row as unknown as ChatRow));
  }

  #toChat(row: ChatRow): StoredChat {
    const person = row.person === null ? null : this.people.byId(row.person);
    const source: Source = { channel: row.channel, backend: row.backend, account: row.account };
    const own = person?.phone ?? person?.userId ?? person?.lid ?? "self";
    const recipient: Recipient =
      row.kind === "group"
        ? { kind: "group", id: row.group_id ?? "" }
        : row.kind === "self"
          ? { kind: "self" }
          : {
              kind: "direct",
              phone: person?.phone ?? null,
              userId: person?.userId ?? null,
              lid: person?.lid ?? null,
            };
    return {
      id: row.id,
      source,
      chat: { kind: row.kind, id: row.kind === "group" ? (row.group_id ?? "") : own },
      recipient,
      paused: row.paused === 1,
      lastInboundAt: row.last_inbound_at,
    };
  }
}

function keyOf(
  source: number,
  kind: Chat["kind"],
  person: number | null,
  group: string | null,
): string {
  return `${source}\n${kind}\n${person}\n${group}`;
}
