import {
  type AuthenticationCreds,
  BufferJSON,
  type SignalDataTypeMap,
  initAuthCreds,
} from "@whiskeysockets/baileys";
import type { SessionDatabase } from "./session-database.ts";
import { SessionError } from "./session-error.ts";

/** Values as JSON, under (type, id); null deletes. */
export interface KeyChange {
  type: string;
  id: string;
  json: string | null;
}

/** Credentials and Signal keys of the linked device, sealed in the session's database. Synchronous and durable. */
export class KeyStore {
  private readonly read;
  private readonly insert;
  private readonly remove;

  constructor(private readonly database: SessionDatabase) {
    const { sql } = database;
    this.read = sql.prepare("SELECT value FROM entry WHERE type = ? AND id = ?");
    this.insert = sql.prepare("INSERT OR REPLACE INTO entry VALUES (?, ?, ?)");
    this.remove = sql.prepare("DELETE FROM entry WHERE type = ? AND id = ?");
  }

  /** The JSON of a value, undefined where there is none. Throws {@link SessionError} `damaged`. */
  get(type: string, id: string): string | undefined {
    const sealed = this.read.get(type, id)?.value;
    if (!(sealed instanceof Uint8Array)) return undefined;
    try {
      return this.database.seal.open(nameOf(type, id), sealed).toString("utf8");
    } catch {
      throw new SessionError(
        "damaged",
        "a value of the WhatsApp session was changed from outside: restore the session from a backup",
      );
    }
  }

  /** Whether there is anything of this type. */
  holds(type: string): boolean {
    const any = this.database.sql.prepare("SELECT 1 FROM entry WHERE type = ? LIMIT 1");
    return any.get(type) !== undefined;
  }

  /** Applies changes; call it within {@link SessionDatabase.transaction}. */
  apply(changes: Iterable<KeyChange>): void {
    for (const { type, id, json } of changes) {
      if (json === null) this.remove.run(type, id);
      else this.insert.run(type, id, this.database.seal.close(nameOf(type, id), Buffer.from(json)));
    }
  }

  loadCredentials(): AuthenticationCreds {
    const json = this.get("creds", "creds");
    return json === undefined ? initAuthCreds() : JSON.parse(json, BufferJSON.reviver);
  }
}

/** What {@link KeyStore.loadCredentials} reads. */
export function storedCredentials(creds: AuthenticationCreds): KeyChange & { json: string } {
  return { type: "creds", id: "creds", json: JSON.stringify(creds, BufferJSON.replacer) };
}

/**
 * A value in memory. A session's record is kept as it is: libsignal makes a new one for each change
 * (`session_record.js`, serialize) and never changes one. All else is JSON, since Baileys does change what it was given.
 */
export type HeldValue = string | SessionRecord;
type SessionRecord = SignalDataTypeMap["session"];

/** What Baileys wants stored, as it is held. */
export function holdValue(type: string, value: unknown): HeldValue {
  return type === "session" && isRecord(value) ? value : JSON.stringify(value, BufferJSON.replacer);
}

/** What Baileys gets back. */
export function valueOf<T extends keyof SignalDataTypeMap>(
  _type: T,
  held: HeldValue,
): SignalDataTypeMap[T] {
  if (typeof held === "string") return JSON.parse(held, BufferJSON.reviver);
  // Only sessions are held as records.
  return held as SignalDataTypeMap[T];
}

/** A session's record holds no bytes but base64 (`session_record.js`, serialize), so that nothing is to be replaced. */
export function jsonOf(held: HeldValue): string {
  return typeof held === "string" ? held : JSON.stringify(held);
}

function isRecord(value: unknown): value is SessionRecord {
  return typeof value === "object" && value !== null && !(value instanceof Uint8Array);
}

function nameOf(type: string, id: string): string {
  return `entry:${type}:${id}`;
}
