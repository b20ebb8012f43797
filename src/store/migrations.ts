import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "./contract.ts";

/** Each entry takes the schema one version on; `PRAGMA user_version` says how many have run. Never edit a landed one. */
const migrations: string[] = [
  `
  CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    account TEXT NOT NULL,
    backend TEXT NOT NULL,
    last_inbound_at INTEGER,
    last_outbound_at INTEGER,
    UNIQUE (channel, account)
  ) STRICT;

  -- A person, by every identity known of them. phone_key folds the double forms of a number.
  CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    phone TEXT,
    phone_key TEXT,
    user_id TEXT,
    lid TEXT,
    username TEXT
  ) STRICT;
  CREATE UNIQUE INDEX people_phone ON people (source, phone_key) WHERE phone_key IS NOT NULL;
  CREATE UNIQUE INDEX people_user_id ON people (source, user_id) WHERE user_id IS NOT NULL;
  CREATE UNIQUE INDEX people_lid ON people (source, lid) WHERE lid IS NOT NULL;

  -- A direct chat is its person; a group its id; self has neither.
  CREATE TABLE chats (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    kind TEXT NOT NULL,
    person INTEGER REFERENCES people (id),
    group_id TEXT,
    -- Two chats that turned out to be one person's: what still names this one means that one.
    merged_into INTEGER REFERENCES chats (id),
    paused INTEGER NOT NULL DEFAULT 0,
    last_inbound_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX chats_key ON chats (source, kind, ifnull(person, 0), ifnull(group_id, ''));

  -- A row is also the key of de-duplication, so it outlives its content.
  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    platform_id TEXT NOT NULL,
    chat INTEGER NOT NULL REFERENCES chats (id),
    state INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    message TEXT,
    reaction TEXT
  ) STRICT;
  CREATE UNIQUE INDEX inbox_key ON inbox (source, platform_id);
  CREATE INDEX inbox_pending ON inbox (chat, id) WHERE state = 0;

  CREATE TABLE attachments (
    id INTEGER PRIMARY KEY,
    message INTEGER NOT NULL,
    path TEXT NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX attachments_message ON attachments (message);

  CREATE TABLE history (
    id INTEGER PRIMARY KEY,
    chat INTEGER NOT NULL,
    role TEXT NOT NULL,
    text TEXT NOT NULL,
    at INTEGER NOT NULL,
    message INTEGER
  ) STRICT;
  CREATE INDEX history_chat ON history (chat, id);

  CREATE TABLE outbox (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    chat INTEGER NOT NULL,
    turn_id TEXT,
    state INTEGER NOT NULL,
    content TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    platform_id TEXT,
    status TEXT,
    reaction TEXT,
    code TEXT,
    hint TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX outbox_id ON outbox (id);
  CREATE INDEX outbox_open ON outbox (chat, seq) WHERE state < 2;
  CREATE INDEX outbox_failed ON outbox (seq) WHERE state = 3;
  -- Written to learn whether the file can be written.
  CREATE TABLE probe (at INTEGER NOT NULL) STRICT;
  INSERT INTO probe VALUES (0);

  CREATE INDEX outbox_platform_id ON outbox (platform_id) WHERE platform_id IS NOT NULL;
  `,
  `
  CREATE INDEX chats_window ON chats (source, last_inbound_at);
  CREATE INDEX chats_paused ON chats (id) WHERE paused = 1;
  -- SQLite looks here before a person may go (foreign key).
  CREATE INDEX chats_person ON chats (person) WHERE person IS NOT NULL;

  -- What the platform called an earlier try: its late words say nothing of the try that followed.
  ALTER TABLE outbox ADD COLUMN earlier_platform_id TEXT;
  `,
  `
  -- What waits, in the order it came, so that a new message is always the last entry: by chat, each would dirty a page
  -- of its own.
  DROP INDEX inbox_pending;
  CREATE INDEX inbox_waiting ON inbox (id, chat, bytes) WHERE state = 0;
  `,
  `
  -- Whom the account spoke as last, where that can change under it.
  ALTER TABLE sources ADD COLUMN number TEXT;
  `,
  `
  -- A chat that was joined with another is that other one: it is neither paused nor has it a window.
  UPDATE chats SET paused = 0, last_inbound_at = NULL WHERE merged_into IS NOT NULL;
  `,
  `
  -- Tries that ended without an answer, those not counted that a stop or a kill cut off.
  ALTER TABLE outbox ADD COLUMN unanswered INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- When its sender made the edit that counts, Unix seconds: platforms bring edits in any order.
  ALTER TABLE inbox ADD COLUMN edited_at INTEGER;
  `,
  `
  -- Who wrote what a group has been answered, and may take it back: JSON of their identities.
  ALTER TABLE inbox ADD COLUMN writer TEXT;
  `,
  `
  -- Edits and deletes that came before their message, by whoever says so (JSON of identities). No text: a delete.
  CREATE TABLE early_amendments (
    id INTEGER PRIMARY KEY,
    source INTEGER NOT NULL REFERENCES sources (id),
    platform_id TEXT NOT NULL,
    sender TEXT NOT NULL,
    received_at INTEGER NOT NULL,
    made_at INTEGER,
    text TEXT
  ) STRICT;
  `,
  `
  -- What of the text stands before the sender's own words, such as their name in a group. An edit leaves it.
  ALTER TABLE history ADD COLUMN lead TEXT;
  `,
  `
  -- The platform's time (Unix ms), where the clock was more than a day behind it: what was written then is no older.
  ALTER TABLE inbox ADD COLUMN at_least INTEGER;
  ALTER TABLE outbox ADD COLUMN at_least INTEGER;
  ALTER TABLE history ADD COLUMN at_least INTEGER;
  `,
];

/** The schema's version. Throws {@link StoreError} where the file was written by a newer Revka. */
export function schemaVersion(db: DatabaseSync): number {
  const row = db.prepare("PRAGMA user_version").get() as { user_version: number };
  const current = row.user_version;
  if (current > migrations.length) {
    throw new StoreError(
      "failed",
      `it was written by a newer Revka (schema ${current}, this build knows ${migrations.length}): install that version again, or move the file away to start empty`,
    );
  }
  return current;
}

/** Brings the schema to this build's version; throws as {@link schemaVersion} does. */
export function migrate(db: DatabaseSync): void {
  const current = schemaVersion(db);
  migrations.slice(current).forEach((sql, index) => {
    db.exec("BEGIN IMMEDIATE");
    try {
      db.exec(sql);
      db.exec(`PRAGMA user_version = ${current + index + 1}`);
      db.exec("COMMIT");
    } catch (error) {
      db.exec("ROLLBACK");
      throw error;
    }
  });
}
