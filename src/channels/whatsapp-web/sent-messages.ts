import { proto } from "@whiskeysockets/baileys";
import { Newest } from "../../runtime/newest.ts";
import type { SessionDatabase } from "./session-database.ts";

/** How long a contact's phone may ask for a message again ("Waiting for this message"). */
const KEEP_MS = 14 * 86_400_000;
const MOST_ROWS = 20_000;
/** Messages whose delivery is at hand: their receipts come soon after. */
const MOST_AT_HAND = 1000;

export interface SentMessage {
  chat: string;
  /** Our delivery, null for what was not sent for one. */
  delivery: string | null;
  message: proto.IMessage;
}

/** Everything sent, for phones that could not read it, and to know our own when it comes back. */
export class SentMessages {
  private readonly insert;
  private readonly select;
  private readonly selectDelivery;
  private readonly expire;
  private readonly shrink;
  private readonly atHand = new Newest<string | null>(MOST_AT_HAND);

  constructor(private readonly database: SessionDatabase) {
    const { sql } = database;
    this.insert = sql.prepare(
      "INSERT INTO sent VALUES (?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET at = excluded.at RETURNING delivery",
    );
    this.select = sql.prepare("SELECT delivery, chat, body, at FROM sent WHERE id = ?");
    this.selectDelivery = sql.prepare("SELECT delivery FROM sent WHERE id = ?");
    this.expire = sql.prepare("DELETE FROM sent WHERE at < ?");
    this.shrink = sql.prepare(
      "DELETE FROM sent WHERE id IN (SELECT id FROM sent ORDER BY at DESC LIMIT -1 OFFSET +?)",
    );
  }

  /**
   * Answers the write, for a transaction: what could fail but the disk is done. A message that is there already stays
   * as it was first sent, and is kept as long as one sent now.
   */
  putting(id: string, { chat, delivery, message }: SentMessage, now: number): () => void {
    const body = Buffer.from(proto.Message.encode(message).finish());
    const sealed = this.database.seal.close(nameOf(id), body);
    return () => {
      const row = this.insert.get(id, delivery, chat, sealed, now);
      this.atHand.set(id, typeof row?.delivery === "string" ? row.delivery : null);
    };
  }

  /** `at`: when it was last sent. */
  get(id: string): (SentMessage & { at: number }) | undefined {
    const row = this.select.get(id);
    if (!row || !(row.body instanceof Uint8Array)) return undefined;
    const message = proto.Message.decode(this.database.seal.open(nameOf(id), row.body));
    const delivery = typeof row.delivery === "string" ? row.delivery : null;
    return { chat: String(row.chat), delivery, message, at: Number(row.at) };
  }

  has(id: string): boolean {
    return this.deliveryOf(id) !== undefined;
  }

  /** The delivery it was sent for, null where for none; undefined where it is not ours. */
  deliveryOf(id: string): string | null | undefined {
    const known = this.atHand.get(id);
    if (known !== undefined) return known;
    const row = this.selectDelivery.get(id);
    if (!row) return undefined;
    return typeof row.delivery === "string" ? row.delivery : null;
  }

  prune(now: number): void {
    this.atHand.clear();
    this.expire.run(now - KEEP_MS);
    this.shrink.run(MOST_ROWS);
  }
}

function nameOf(id: string): string {
  return `sent:${id}`;
}
