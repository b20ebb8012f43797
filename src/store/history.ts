import type { Message } from "../channels/message.ts";
import type { ChatId, FinishedTurn, HistoryEntry, HistoryRow } from "./contract.ts";
import type { Database } from "./database.ts";

/** What was said in a chat, as far as an agent gets to see it again. */
export class History {
  constructor(readonly database: Database) {}

  /** The newest entries, oldest first. */
  newest(chat: ChatId, limit: number): HistoryRow[] {
    const rows = this.database
      .sql("SELECT role, text FROM history WHERE chat = +? ORDER BY id DESC LIMIT +?")
      .all(chat, limit) as { role: "user" | "assistant"; text: string }[];
    return rows.reverse();
  }

  /**
   * Adds a turn's entries, those of messages as far as they are among `messages`, and drops what no turn will ask for
   * again. `atLeast`: as of `platform-time.ts`. Runs inside a transaction.
   */
  add(
    turn: FinishedTurn,
    messages: ReadonlyMap<number, Message>,
    now: number,
    atLeast: number | null,
  ): void {
    for (const entry of turn.history) {
      const text = textOf(entry, messages);
      if (text === null) continue;
      this.database
        .sql(
          "INSERT INTO history (chat, role, text, at, at_least, message, lead) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .run(turn.chat, entry.role, text, now, atLeast, entry.messageId, leadOf(entry));
    }
    this.database
      .sql(
        `DELETE FROM history WHERE chat = +? AND id <=
         (SELECT id FROM history WHERE chat = +? ORDER BY id DESC LIMIT 1 OFFSET +?)`,
      )
      .run(turn.chat, turn.chat, turn.keepHistory);
  }
}

function leadOf(entry: HistoryEntry): string | null {
  return (entry.messageId !== null && entry.lead) || null;
}

/** null of a message that its sender took back meanwhile. */
function textOf(entry: HistoryEntry, messages: ReadonlyMap<number, Message>): string | null {
  if (entry.messageId === null) return entry.text;
  const message = messages.get(entry.messageId);
  if (!message) return null;
  return typeof entry.text === "string" ? entry.text : entry.text(message);
}
