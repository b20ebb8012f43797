import { statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";

/** What a stopped daemon left in its store. */
export interface StoreState {
  /** Platform ids of each number's messages, in the order in which the store took them in. */
  order: Map<string, string[]>;
  /** Ids of the deliveries of each text, in the order in which turns left them. */
  deliveries: Map<string, string[]>;
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
    const order = grouped(rows.map(({ phone, id }) => [String(phone), String(id)]));
    const deliveries = grouped(
      db
        .prepare("SELECT id, content FROM outbox ORDER BY seq")
        .all()
        .map(({ id, content }) => [String(JSON.parse(String(content)).text), String(id)]),
    );
    const check = db.prepare("PRAGMA integrity_check").get();
    return {
      order,
      deliveries,
      integrity: String(check?.["integrity_check"]),
      bytes: statSync(path).size,
    };
  } finally {
    db.close();
  }
}

function grouped(pairs: (readonly [key: string, value: string])[]): Map<string, string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const known = groups.get(key);
    if (known) known.push(value);
    else groups.set(key, [value]);
  }
  return groups;
}
