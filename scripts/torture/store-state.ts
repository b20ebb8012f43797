import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** What a stopped daemon left in its store. */
export interface StoreState {
  /** Platform ids of each number's messages, in the order in which the store took them in. */
  order: Map<string, string[]>;
  /** `ok`, or what SQLite's integrity check found. */
  integrity: string;
  bytes: number;
}

export function readStore(path: string): StoreState {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    const rows = db
      .prepare(
        `SELECT people.phone AS phone, inbox.platform_id AS id FROM inbox
         JOIN chats ON chats.id = inbox.chat JOIN people ON people.id = chats.person ORDER BY inbox.id`,
      )
      .all();
    const order = new Map<string, string[]>();
    for (const { phone, id } of rows) {
      const known = order.get(String(phone));
      if (known) known.push(String(id));
      else order.set(String(phone), [String(id)]);
    }
    const check = db.prepare("PRAGMA integrity_check").get();
    return { order, integrity: String(check?.["integrity_check"]), bytes: statSync(path).size };
  } finally {
    db.close();
  }
}
