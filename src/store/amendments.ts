import type { Message, Sender } from "../channels/message.ts";
import { hangingIndent } from "../runtime/hanging-indent.ts";
import type { Chats } from "./chats.ts";
import type { AcceptRules, ChatId } from "./contract.ts";
import type { Database } from "./database.ts";
import { EarlyAmendments, isOlder, type Amendment } from "./early-amendments.ts";
import { keyOf } from "./early-statuses.ts";
import { parseMessage, PENDING, REVOKED } from "./inbox.ts";
import { direct, mayWrite, someGroup, wordsOf } from "./may-write.ts";
import type { Waiting } from "./waiting.ts";

interface KnownMessage {
  id: number;
  chat: ChatId;
  state: number;
  bytes: number;
  message: string | null;
  edited_at: number | null;
  writer: string | null;
}

/** What senders say of their messages afterwards: edits and deletes. All calls run inside a transaction of `database`. */
export class Amendments {
  readonly early: EarlyAmendments;

  constructor(
    readonly database: Database,
    readonly chats: Chats,
    readonly waiting: Waiting,
    /** Who wrote what was kept out lately. */
    readonly passedOver: ReadonlyMap<string, Sender>,
  ) {
    this.early = new EarlyAmendments(database);
  }

  /** Forgets what is at hand: after a rollback it may never have been. */
  forget(): void {
    this.early.forget();
  }

  /** Answers how many messages changed. What comes before its message is kept until that comes. */
  amend(source: number, event: Amendment, rules: AcceptRules, now: number): number {
    const row = this.#known(source, event.targetId);
    if (row) return this.#apply(source, row, event, rules);
    const writer = this.passedOver.get(keyOf(source, event.targetId));
    if (writer && this.chats.people.same(source, writer, event.sender)) return 0;
    const sender = this.chats.people.complete(source, event.sender);
    if (mayWrite(sender, rules)) this.early.note(source, { ...event, sender }, now);
    return 0;
  }

  /** Its message has come, and was kept out: nothing that its writer said of it before is kept. */
  drop(source: number, platformId: string, writer: Sender): void {
    this.early.drop(source, platformId, (sender) => this.chats.people.same(source, writer, sender));
  }

  /** Amends a message that has just come as was said before. Answers how many of that counted. */
  catchUp(source: number, platformId: string, rules: AcceptRules, now: number): number {
    return this.early
      .take(source, platformId)
      .reduce((amended, event) => amended + this.amend(source, event, rules, now), 0);
  }

  #known(source: number, platformId: string): KnownMessage | null {
    const row = this.database
      .sql(
        "SELECT id, chat, state, bytes, message, edited_at, writer FROM inbox WHERE source = ? AND platform_id = ?",
      )
      .get(source, platformId);
    if (!row) return null;
    const known = row as unknown as KnownMessage;
    return { ...known, chat: this.chats.current(known.chat) };
  }

  #apply(source: number, row: KnownMessage, event: Amendment, rules: AcceptRules): number {
    if (!this.#wroteIt(source, row, event.sender)) return 0;
    if (event.kind === "revoke") this.#revoke(row);
    else if (isOlder(event, row.edited_at)) return 0;
    else this.#edit(source, row, event, rules);
    return 1;
  }

  /**
   * Did this sender write it? Whoever shares a group sees the ids of its messages and can name them, so without this
   * a stranger could put words into the mouth of someone on the list.
   */
  #wroteIt(source: number, row: KnownMessage, sender: Sender): boolean {
    const { writer, message } = row;
    if (writer !== null)
      return this.chats.people.same(source, JSON.parse(writer) as Sender, sender);
    if (message === null) return this.chats.isWith(row.chat, source, sender);
    return this.chats.people.same(source, parseMessage(message).sender, sender);
  }

  /** What a mention gate takes out of a text it takes out of the new one, too. */
  #edit(
    source: number,
    row: KnownMessage,
    { text, at, sender }: Extract<Amendment, { kind: "edit" }>,
    rules: AcceptRules,
  ): void {
    this.database.sql("UPDATE inbox SET edited_at = ? WHERE id = ?").run(at ?? null, row.id);
    const admitted = (edited: Message): Message => {
      const verdict = rules.admit(edited);
      return verdict.admitted ? verdict.message : edited;
    };
    if (row.state === PENDING && row.message) {
      const message = admitted({ ...parseMessage(row.message), text });
      this.database
        .sql("UPDATE inbox SET message = ? WHERE id = ?")
        .run(JSON.stringify(message), row.id);
      return;
    }
    const group = row.writer !== null;
    const writer = this.chats.people.complete(source, sender);
    const words = admitted(wordsOf(writer, group ? someGroup : direct, text)).text;
    // In a group, words stand behind their writer's name, or not at all.
    this.database
      .sql(
        "UPDATE history SET text = ifnull(ifnull(lead, ?) || ?, text) WHERE chat = ? AND message = ?",
      )
      .run(group ? null : "", group ? hangingIndent(words) : words, row.chat, row.id);
  }

  #revoke(row: KnownMessage): void {
    if (row.state === PENDING) {
      this.database
        .sql("UPDATE inbox SET state = ?, message = NULL WHERE id = ?")
        .run(REVOKED, row.id);
      this.waiting.remove(row.chat, row.id, row.bytes);
    }
    this.database.sql("DELETE FROM history WHERE chat = ? AND message = ?").run(row.chat, row.id);
  }
}
