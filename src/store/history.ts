import type { ChatId, FinishedTurn, HistoryRow } from "./contract.ts";
import type { Database } from "./database.ts";

/** What was said in a chat, as far as an agent gets to see it again. */
export class History {
  constructor(readonly database: Database) {}

  /** The newest entries, oldest first. */
  newest(chat: ChatId, limit: number): HistoryRow[] {
    const rows = this.database
      .sql("SELECT role, text FROM history WHERE chat = +? ORDER BY id DESC LIMIT ?")
      .all(chat, limit) as { role: "user" | "assistant"; text: string }[];
    return rows.reverse();
  }

  /** Adds a turn's entries and drops what no turn will ask for again. Runs inside a transaction. */
  add(turn: FinishedTurn, now: number): void {
    for (const entry of turn.history) {
      this.database
        .sql("INSERT INTO history (chat, role, text, at, message) VALUES (?, ?, ?, ?, ?)")
        .run(turn.chat, entry.role, entry.text, now, entry.messageId);
    }
    this.database
      .sql(
        `DELETE FROM history WHERE chat = +? AND id <=
         (SELECT id FROM history WHERE chat = +? ORDER BY id DESC LIMIT 1 OFFSET ?)`,
      )
      .run(turn.chat, turn.chat, turn.keepHistory);
  }
}
