import type { Sender } from "../channels/message.ts";
import type { Database } from "./database.ts";

/** A person as stored: every identity known of them. */
export interface Person {
  id: number;
  phone: string | null;
  userId: string | null;
  lid: string | null;
  username: string | null;
}

type Identity = Pick<Sender, "phone" | "userId" | "lid" | "username">;

interface PersonRow {
  id: number;
  phone: string | null;
  user_id: string | null;
  lid: string | null;
  username: string | null;
}

const columns = "id, phone, user_id, lid, username";

/** People kept at hand, so that someone who writes often costs no look-up. */
const CACHED_PEOPLE = 10_000;

/** Which identities belong to one person. All calls run inside a transaction of `database`. */
export class People {
  /** Identities, exactly as the platform spells them, of which there is nothing more to learn. */
  readonly #settled = new Map<string, Person>();

  constructor(
    readonly database: Database,
    /** Folds the double forms of a number (Brazil, Argentina, Mexico) to one key. */
    readonly phoneKey: (phone: string) => string,
  ) {}

  /** Called when a person has other identities than before. */
  changed: () => void = () => {};

  /** Forgets what is at hand: after a rollback it may never have been. */
  forget(): void {
    this.#settled.clear();
  }

  byId(id: number): Person | null {
    const row = this.database.sql(`SELECT ${columns} FROM people WHERE id = ?`).get(id);
    return row ? toPerson(row as unknown as PersonRow) : null;
  }

  #by(
    column: "phone_key" | "user_id" | "lid",
    source: number,
    value: string | null,
  ): Person | null {
    if (!value) return null;
    const row = this.database
      .sql(`SELECT ${columns} FROM people WHERE source = ? AND ${column} = ?`)
      .get(source, value);
    return row ? toPerson(row as unknown as PersonRow) : null;
  }

  /**
   * Everyone these identities point at, the surest identity first (number, then BSUID, then LID). Someone with
   * another number is another person: a BSUID or LID that moved does not make two people one.
   */
  #find(source: number, identity: Identity): { same: Person[]; moved: Person[] } {
    const candidates = [
      this.#by("phone_key", source, identity.phone ? this.phoneKey(identity.phone) : null),
      this.#by("user_id", source, identity.userId),
      this.#by("lid", source, identity.lid),
    ].filter((person) => person !== null);
    const same: Person[] = [];
    const moved: Person[] = [];
    let phone = identity.phone;
    for (const person of candidates) {
      if ([...same, ...moved].some((seen) => seen.id === person.id)) continue;
      const other =
        phone !== null && person.phone !== null && !this.#sameNumber(phone, person.phone);
      if (other) moved.push(person);
      else {
        same.push(person);
        phone ??= person.phone;
      }
    }
    return { same, moved };
  }

  /** Do both name one person, by what they say and by what is known of them? */
  same(source: number, a: Identity, b: Identity): boolean {
    const one = union(a, this.#find(source, a).same);
    const other = union(b, this.#find(source, b).same);
    if (one.phone !== null && other.phone !== null) return this.#sameNumber(one.phone, other.phone);
    return (
      (one.userId !== null && one.userId === other.userId) ||
      (one.lid !== null && one.lid === other.lid)
    );
  }

  /** Is anything known of whom these identities name? */
  knows(source: number, identity: Identity): boolean {
    const { same, moved } = this.#find(source, identity);
    return same.length + moved.length > 0;
  }

  #sameNumber(a: string, b: string): boolean {
    return this.phoneKey(a) === this.phoneKey(b);
  }

  /** The sender with every identity filled in that is known of them. What the platform says now wins. */
  complete(source: number, sender: Sender): Sender {
    const settled = this.#settled.get(keyOf(source, sender));
    if (!settled) return { ...sender, ...union(sender, this.#find(source, sender).same) };
    return {
      ...sender,
      phone: sender.phone ?? settled.phone,
      userId: sender.userId ?? settled.userId,
      lid: sender.lid ?? settled.lid,
      username: sender.username ?? settled.username,
    };
  }

  /**
   * Remembers that these identities are one person and answers their key. Where they were several, `merged` lists
   * the keys that now stand for nobody.
   */
  remember(source: number, identity: Identity): { person: number; merged: number[] } {
    const settled = this.#settled.get(keyOf(source, identity));
    if (settled && (identity.username === null || identity.username === settled.username)) {
      return { person: settled.id, merged: [] };
    }
    const { same, moved } = this.#find(source, identity);
    for (const person of moved) this.#detach(person, identity);
    const [first, ...others] = same.sort((a, b) => a.id - b.id);
    if (!first) return { person: this.#insert(source, identity), merged: [] };
    for (const other of others) this.#update(other.id, noIdentity);
    const all = union(identity, [first, ...others]);
    // The number keeps the form it was first seen in, so that chat.id does not change under an agent.
    const phone = first.phone ?? all.phone;
    const changed =
      phone !== first.phone ||
      all.userId !== first.userId ||
      all.lid !== first.lid ||
      all.username !== first.username;
    if (changed) this.#update(first.id, { ...all, phone });
    if (this.#settled.size >= CACHED_PEOPLE) this.#settled.clear();
    this.#settled.set(keyOf(source, identity), { id: first.id, ...all, phone });
    return { person: first.id, merged: others.map((other) => other.id) };
  }

  #detach(person: Person, identity: Identity): void {
    this.#update(person.id, {
      ...person,
      userId: person.userId === identity.userId ? null : person.userId,
      lid: person.lid === identity.lid ? null : person.lid,
    });
  }

  #update(id: number, identity: Identity): void {
    this.#settled.clear();
    this.changed();
    this.database
      .sql(
        "UPDATE people SET phone = ?, phone_key = ?, user_id = ?, lid = ?, username = ? WHERE id = ?",
      )
      .run(
        identity.phone,
        identity.phone ? this.phoneKey(identity.phone) : null,
        identity.userId,
        identity.lid,
        identity.username,
        id,
      );
  }

  /** A person's number or user id became another one. Nothing happens where the new one is somebody else's. */
  replace(source: number, previous: Identity, next: Identity): void {
    const [person] = this.#find(source, previous).same;
    if (!person) return;
    const taken = this.#find(source, next);
    if ([...taken.same, ...taken.moved].some((other) => other.id !== person.id)) return;
    this.#update(person.id, {
      phone: next.phone ?? person.phone,
      userId: next.userId ?? person.userId,
      lid: next.lid ?? person.lid,
      username: next.username ?? person.username,
    });
  }

  #insert(source: number, identity: Identity): number {
    const result = this.database
      .sql(
        "INSERT INTO people (source, phone, phone_key, user_id, lid, username) VALUES (?, ?, ?, ?, ?, ?)",
      )
      .run(
        source,
        identity.phone,
        identity.phone ? this.phoneKey(identity.phone) : null,
        identity.userId,
        identity.lid,
        identity.username,
      );
    return Number(result.lastInsertRowid);
  }
}

function toPerson(row: PersonRow): Person {
  return {
    id: row.id,
    phone: row.phone,
    userId: row.user_id,
    lid: row.lid,
    username: row.username,
  };
}

function keyOf(source: number, identity: Identity): string {
  return `${source}\n${identity.phone}\n${identity.userId}\n${identity.lid}`;
}

const noIdentity: Identity = { phone: null, userId: null, lid: null, username: null };

function union(identity: Identity, people: Person[]): Identity {
  return people.reduce<Identity>(
    (merged, person) => ({
      phone: merged.phone ?? person.phone,
      userId: merged.userId ?? person.userId,
      lid: merged.lid ?? person.lid,
      username: merged.username ?? person.username,
    }),
    {
      phone: identity.phone,
      userId: identity.userId,
      lid: identity.lid,
      username: identity.username,
    },
  );
}
