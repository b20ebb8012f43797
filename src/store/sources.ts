import type { Backend, ChannelName } from "../channels/message.ts";
import type { ChatId, Source, SourceActivity } from "./contract.ts";
import type { Database } from "./database.ts";

interface SourceRow {
  channel: ChannelName;
  account: string;
  backend: Backend;
  last_inbound_at: number | null;
  last_outbound_at: number | null;
}

/** When something last came in is kept to the second: not every message writes, ms. */
const ACTIVITY_PRECISION = 1_000;

/** Accounts of channels: what is received by them and sent from them. */
export class Sources {
  readonly #known = new Map<string, number>();
  readonly #active = new Map<number, number>();

  constructor(readonly database: Database) {}

  /** Called when an account may be reached by another backend than before. */
  changed: () => void = () => {};

  /** Forgets what is at hand and may never have been after a rollback. */
  forget(): void {
    this.#active.clear();
  }

  /** The key of an account, made at its first use. Runs inside a transaction. */
  key(source: Source): number {
    const known = this.#known.get(nameOf(source));
    if (known !== undefined) return known;
    this.changed();
    const row = this.database
      .sql(
        `INSERT INTO sources (channel, account, backend) VALUES (?, ?, ?)
         ON CONFLICT (channel, account) DO UPDATE SET backend = excluded.backend RETURNING id`,
      )
      .get(source.channel, source.account, source.backend) as { id: number };
    return row.id;
  }

  /**
   * An account that is kept under another name. null where there is none that it may have been, or more than
   * one, and where the account is kept under its own name.
   */
  former(
    { channel, account }: Source,
    was: (account: string) => boolean,
  ): { id: number; account: string } | null {
    const kept = this.database
      .sql("SELECT id, account FROM sources WHERE channel = ?")
      .all(channel) as unknown as { id: number; account: string }[];
    if (kept.some((row) => row.account === account)) return null;
    const [former, ...others] = kept.filter((row) => was(row.account));
    return former && others.length === 0 ? former : null;
  }

  /** Runs inside a transaction. */
  rename(key: number, account: string): void {
    this.#known.clear();
    this.changed();
    this.database.sql("UPDATE sources SET account = ? WHERE id = ?").run(account, key);
  }

  /** Keeps an account's key at hand once its transaction stands. */
  remember(source: Source, key: number): void {
    this.#known.set(nameOf(source), key);
  }

  /** Notes whom an account speaks as; true where that was another before. Runs inside a transaction. */
  speaksAs(key: number, number: string): boolean {
    const row = this.database.sql("SELECT number FROM sources WHERE id = ?").get(key) as
      { number: string | null } | undefined;
    const before = row?.number ?? null;
    if (before === number) return false;
    this.database.sql("UPDATE sources SET number = ? WHERE id = ?").run(number, key);
    return before !== null;
  }

  /** Whom the account of a chat speaks as; null where that cannot change, or is not known yet. */
  numberOf(chat: ChatId): string | null {
    const row = this.database
      .sql("SELECT number FROM sources WHERE id = (SELECT source FROM chats WHERE id = ?)")
      .get(chat) as { number: string | null } | undefined;
    return row?.number ?? null;
  }

  /** Something came in for this account. Runs inside a transaction. */
  received(key: number, at: number): void {
    if (Math.abs(at - (this.#active.get(key) ?? 0)) < ACTIVITY_PRECISION) return;
    this.#active.set(key, at);
    this.database.sql("UPDATE sources SET last_inbound_at = ? WHERE id = ?").run(at, key);
  }

  /** The platform took this delivery. Runs inside a transaction. */
  sent(delivery: string, at: number): void {
    this.database
      .sql(
        `UPDATE sources SET last_outbound_at = ? WHERE id =
         (SELECT source FROM chats WHERE id = (SELECT chat FROM outbox WHERE id = ?))`,
      )
      .run(at, delivery);
  }

  activity(): SourceActivity[] {
    const rows = this.database.sql("SELECT * FROM sources").all() as unknown as SourceRow[];
    return rows.map((row) => ({
      source: { channel: row.channel, backend: row.backend, account: row.account },
      lastInboundAt: row.last_inbound_at,
      lastOutboundAt: row.last_outbound_at,
    }));
  }
}

function nameOf(source: Source): string {
  return `${source.channel}\n${source.account}\n${source.backend}`;
}
