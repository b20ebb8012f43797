import type {
  Backend,
  ChannelName,
  Chat,
  Message,
  Recipient,
  Sender,
} from "../channels/message.ts";
import type { ChatId, Source, SourceActivity, StoredChat } from "./contract.ts";
import type { Database } from "./database.ts";
import type { People } from "./people.ts";

interface SourceRow {
  id: number;
  channel: ChannelName;
  account: string;
  backend: Backend;
  last_inbound_at: number | null;
  last_outbound_at: number | null;
}

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

/** Accounts and chats: who can be answered, and where. */
export class Chats {
  readonly #sources = new Map<string, number>();

  constructor(
    readonly database: Database,
    readonly people: People,
  ) {}

  /** The key of an account, made at its first use. Runs inside a transaction. */
  source(source: Source): number {
    const key = `${source.channel}\n${source.account}\n${source.backend}`;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const row = this.database
      .sql(
        `INSERT INTO sources (channel, account, backend) VALUES (?, ?, ?)
         ON CONFLICT (channel, account) DO UPDATE SET backend = excluded.backend RETURNING id`,
      )
      .get(source.channel, source.account, source.backend) as { id: number };
    return row.id;
  }

  /** Keeps a source's key once its transaction stands. */
  rememberSource(source: Source, id: number): void {
    this.#sources.set(`${source.channel}\n${source.account}\n${source.backend}`, id);
  }

  /** The chat a message belongs to, found or made, its sender's identities remembered. */
  ofMessage(source: number, message: Message): ChatId {
    const person = this.#personOf(source, message.sender);
    return message.chat.kind === "group"
      ? this.find(source, "group", null, message.chat.id)
      : this.find(source, message.chat.kind, person, null);
  }

  /** The chat of a recipient that an operator named. */
  ofRecipient(source: number, target: Recipient): ChatId {
    if (target.kind === "group") return this.find(source, "group", null, target.id);
    if (target.kind === "self") return this.find(source, "self", null, null);
    const person = this.#personOf(source, { ...target, username: null });
    return this.find(source, "direct", person, null);
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

  find(source: number, kind: Chat["kind"], person: number | null, group: string | null): ChatId {
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

  /** Two persons turned out to be one: their chats become one, in the order things happened. */
  #mergePerson(source: number, old: number, person: number): void {
    for (const kind of ["direct", "self"] as const) {
      const row = this.database
        .sql("SELECT id, last_inbound_at FROM chats WHERE source = ? AND kind = ? AND person = ?")
        .get(source, kind, old) as { id: number; last_inbound_at: number | null } | undefined;
      if (!row) continue;
      const chat = this.find(source, kind, person, null);
      for (const table of ["inbox", "outbox", "history"]) {
        this.database.sql(`UPDATE ${table} SET chat = ? WHERE chat = ?`).run(chat, row.id);
      }
      this.touchInbound(chat, row.last_inbound_at ?? 0);
      this.database
        .sql(
          "UPDATE chats SET kind = 'merged', person = NULL, group_id = CAST(id AS TEXT), merged_into = ? WHERE id = ?",
        )
        .run(chat, row.id);
    }
    this.database.sql("DELETE FROM people WHERE id = ?").run(old);
  }

  touchInbound(chat: ChatId, at: number): void {
    this.database
      .sql("UPDATE chats SET last_inbound_at = max(ifnull(last_inbound_at, 0), ?) WHERE id = ?")
      .run(at, chat);
  }

  touchSource(source: number, direction: "inbound" | "outbound", at: number): void {
    this.database.sql(`UPDATE sources SET last_${direction}_at = ? WHERE id = ?`).run(at, source);
  }

  get(id: ChatId): StoredChat | null {
    const row = this.database.sql(`${chatSelect} WHERE chats.id = ?`).get(id);
    return row ? this.#toChat(row as unknown as ChatRow) : null;
  }

  paused(): StoredChat[] {
    const rows = this.database.sql(`${chatSelect} WHERE paused = 1`).all();
    return rows.map((row) => this.#toChat(row as unknown as ChatRow));
  }

  activity(): SourceActivity[] {
    const rows = this.database.sql("SELECT * FROM sources").all() as unknown as SourceRow[];
    return rows.map((row) => ({
      source: { channel: row.channel, backend: row.backend, account: row.account },
      lastInboundAt: row.last_inbound_at,
      lastOutboundAt: row.last_outbound_at,
    }));
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
