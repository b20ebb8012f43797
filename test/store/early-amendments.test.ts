import { describe, expect, spyOn, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent, Message, Sender } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { Database } from "../../src/store/database.ts";
import { goneFor, type Amendment, type Noted } from "../../src/store/early-amendments.ts";
import { acceptTrial } from "../support/accept-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

// Edits and deletes that come before their message.

const { trial, accept } = acceptTrial();

const day = 24 * 60 * 60 * 1000;
const { sender } = message();
const stranger = { ...nobody, phone: "+15550006666" };
const before = (...amendments: Amendment[]) => trial.store.accept(cloud, amendments, everybody);
const edit = (targetId: string, text: string, at = 0, by: Sender = sender): Amendment => ({
  kind: "edit",
  targetId,
  text,
  sender: by,
  at,
});
const revoke = (targetId: string, by: Sender = sender): Amendment => ({
  kind: "revoke",
  targetId,
  sender: by,
});
const waiting = async (...messages: Message[]) => {
  const outcome = await accept(messages);
  const texts = trial.store
    .pendingMessages(outcome.admitted[0]?.chat ?? 0, 9)
    .map((entry) => entry.message.text);
  return { texts, amended: outcome.amended };
};
/** What the file holds, oldest first. */
const kept = () => {
  const db = new DatabaseSync(trial.file, { readOnly: true });
  const rows = db.prepare("SELECT platform_id FROM early_amendments ORDER BY id").all();
  db.close();
  return rows.map((row) => String(row["platform_id"]));
};

/** Each test once as the daemon runs on, and once with a restart in between. */
describe.each([
  ["", () => {}],
  [", also after a restart", () => trial.reopen()],
])("a message is amended by what overtook it%s", (_, meanwhile) => {
  test("an edit, a revoke, and a revoke that no edit takes back", async () => {
    const [edited, revoked, both] = [message(), message(), message()];
    await before(edit(edited.id, "one"), edit(edited.id, "better"), revoke(revoked.id));
    await before(revoke(both.id));
    meanwhile();
    await before(edit(both.id, "again"));
    expect(await waiting(edited, revoked, both)).toEqual({ texts: ["better"], amended: 3 });
    expect(trial.store.counts().pendingMessages).toBe(1);
    expect((await accept([revoked])).duplicates).toBe(1);
    expect(kept()).toEqual([]);
  });

  test("the latest of several edits, in whatever order they came", async () => {
    const one = message();
    await before(edit(one.id, "third", 30));
    meanwhile();
    await before(edit(one.id, "second", 20));
    expect((await waiting(one)).texts).toEqual(["third"]);
    expect((await before(edit(one.id, "later, but older", 25))).amended).toBe(0);
  });

  test("the latest also where it is too long to be kept whole: its beginning is truer than what it replaced", async () => {
    const [one, two] = [message(), message()];
    const long = `new ${"👍".repeat(16_000)}`;
    await before(edit(one.id, "old", 10), edit(one.id, long, 20), edit(two.id, long));
    meanwhile();
    const { texts } = await waiting(one, two);
    for (const text of texts) {
      expect(text).toMatch(/^new (👍){8189}…$/u);
      expect(long.startsWith(text.slice(0, -1))).toBe(true);
    }
    expect(texts).toHaveLength(2);
    expect((await before(edit(one.id, "older", 15))).amended).toBe(0);
  });

  test("the latest of as many characters as are kept, whole", async () => {
    const one = message();
    await before(edit(one.id, "x".repeat(16_384)));
    meanwhile();
    expect((await waiting(one)).texts).toEqual(["x".repeat(16_384)]);
  });

  test("where what was done is rolled back, again the next time", async () => {
    const [first, second] = [message(), message()];
    await before(revoke(first.id));
    meanwhile();
    const breaks: AcceptRules = {
      ...everybody,
      admit(each) {
        if (each.id === second.id) throw new Error("a mistake");
        return { admitted: true, message: each };
      },
    };
    await expect(accept([first, second], breaks)).rejects.toThrow("a mistake");
    expect(kept()).toEqual([first.id]);
    expect((await waiting(first, second)).texts).toEqual([second.text]);
  });

  test("where there was no room for it, once there is", async () => {
    const one = message();
    await before(revoke(one.id));
    meanwhile();
    expect((await accept([one], { ...everybody, maxPendingMessages: 0 })).overflow).toBe(1);
    expect(kept()).toEqual([one.id]);
    expect((await waiting(one)).texts).toEqual([]);
  });

  test("of its sender alone, and of its account alone", async () => {
    const [one, two] = [message(), message()];
    await before(revoke(one.id, stranger));
    const other = { ...cloud, account: "2000" };
    await trial.store.accept(other, [revoke(two.id)], everybody);
    meanwhile();
    expect((await waiting(one, two)).texts).toHaveLength(2);
    expect(kept()).toEqual([two.id]);
  });

  test("of its sender, whoever else names it first", async () => {
    const [one, two, three] = [message(), message(), message()];
    await before(revoke(one.id, stranger), revoke(one.id));
    await before(edit(two.id, "better"), edit(two.id, "evil", 0, stranger));
    await before(edit(three.id, "evil", 1, stranger), revoke(three.id));
    await before(edit(three.id, "worse", 2, stranger));
    meanwhile();
    expect(await waiting(one, two, three)).toEqual({ texts: ["better"], amended: 3 });
  });

  test("of its sender under another identity, also with another number since", async () => {
    const userId = "US.13491208655302741918";
    const known = { ...sender, userId };
    const [first, one] = [message({ sender: known }), message()];
    await accept([first]);
    await before(revoke(one.id, { ...nobody, userId }));
    await trial.store.accept(
      cloud,
      [
        {
          kind: "identity",
          sender: { ...nobody, phone: "+15550007777" },
          previousPhone: sender.phone,
          previousUserId: null,
        },
      ],
      everybody,
    );
    meanwhile();
    expect((await accept([one])).amended).toBe(1);
  });

  test("before the chats of its sender's two identities were joined", async () => {
    const lid = "123456789@lid";
    const [first, one] = [message({ sender: { ...nobody, lid } }), message()];
    await accept([first]);
    await before(revoke(one.id, { ...nobody, lid }));
    meanwhile();
    await accept([message({ sender: { ...sender, lid } })]);
    expect((await accept([one])).amended).toBe(1);
  });
});

describe("what is kept of them is bounded", () => {
  const row = (changes: Partial<Noted> = {}): Noted => ({
    id: 1,
    source: 1,
    target: "m",
    sender: "ada",
    revoked: 0,
    at: 10,
    ...changes,
  });
  const many = (count: number, change: (n: number) => Partial<Noted>) =>
    Array.from({ length: count }, (_, n) => row({ id: n + 1, ...change(n) }));
  const cases: [string, Noted[], Partial<Noted>, number[] | null][] = [
    ["the first", [], {}, []],
    ["a later edit", [row()], { at: 11 }, [1]],
    ["one of the same second", [row()], { at: 10 }, [1]],
    ["one that does not say when", [row()], { at: null }, [1]],
    ["an older edit", [row()], { at: 9 }, null],
    ["a revoke of what was edited", [row()], { revoked: 1, at: null }, [1]],
    ["an edit of what was revoked", [row({ revoked: 1, at: null })], { at: 11 }, null],
    ["the revoke again", [row({ revoked: 1, at: null })], { revoked: 1, at: null }, null],
    ["of another message", [row()], { target: "n", at: 9 }, []],
    ["of another account", [row()], { source: 2, at: 9 }, []],
    ["of somebody else", [row()], { sender: "bob", at: 9 }, []],
    ["an eighth sender", many(7, (n) => ({ sender: `${n}` })), {}, []],
    ["a ninth sender", many(8, (n) => ({ sender: `${n}` })), {}, null],
    ["one of the eight", many(8, (n) => ({ sender: `${n}` })), { sender: "3" }, [4]],
    ["a sender's 50th", many(49, (n) => ({ target: `${n}` })), {}, []],
    ["a sender's 51st", many(50, (n) => ({ target: `${n}` })), {}, [1]],
    ["the 500th", many(499, (n) => ({ target: `${n}`, sender: `${n}` })), {}, []],
    ["the 501st", many(500, (n) => ({ target: `${n}`, sender: `${n}` })), {}, [1]],
  ];
  test.each(cases)("%s", (_, rows, added, gone) => {
    expect(goneFor(rows, row(added))?.map(({ id }) => id) ?? null).toEqual(gone);
  });

  test("in number, of one sender and in all, and no text is without an end", async () => {
    const texts = Array.from({ length: 60 }, (_, n) => `of one ${n}`);
    await before(...texts.map((id) => revoke(id)), edit("long", "x".repeat(20_000)));
    expect(kept()).toEqual([...texts.slice(11), "long"]);
    const db = new DatabaseSync(trial.file, { readOnly: true });
    const longest = db
      .prepare("SELECT max(length(text)) AS characters FROM early_amendments")
      .get();
    db.close();
    expect(longest).toEqual({ characters: 16_384 });
    const numbers = Array.from({ length: 500 }, (_, n) => `+1555100${1000 + n}`);
    await before(...numbers.map((phone) => revoke(phone, { ...nobody, phone })));
    expect(kept()).toEqual(numbers);
    trial.reopen();
    await before(revoke("one more"));
    expect(kept()).toEqual([...numbers.slice(1), "one more"]);
  });

  test("in time: a text like all content, a revoke like the keys", async () => {
    await before(edit("edited", "better"), revoke("revoked"));
    const retain = async (days: number) => {
      const at = trial.clock.now() + days * day;
      await trial.store.retain({
        contentBefore: at - 2 * day,
        keysBefore: at - 8 * day,
        running: [cloud],
        rows: 10,
      });
      return kept();
    };
    trial.reopen();
    expect(await retain(1)).toEqual(["edited", "revoked"]);
    expect(await retain(3)).toEqual(["revoked"]);
    await before(edit("edited", "again", 5));
    expect(kept()).toEqual(["revoked", "edited"]);
    expect(await retain(9)).toEqual([]);
    expect((await waiting(message({ id: "revoked" }))).texts).toHaveLength(1);
  });

  const refused: [string, AcceptRules["admit"], string[]][] = [
    ["whom no rule lets in", () => ({ admitted: false, reason: "not_allowed" }), []],
    [
      "whose words alone are refused",
      () => ({ admitted: false, reason: "mention_missing" }),
      ["m"],
    ],
    [
      "who may write to groups alone",
      (each) =>
        each.chat.kind === "group"
          ? { admitted: true, message: each }
          : { admitted: false, reason: "policy_ignore" },
      ["m"],
    ],
    [
      "who may write under a number that is known of them",
      (each) =>
        each.sender.phone === null
          ? { admitted: false, reason: "unknown_number" }
          : { admitted: true, message: each },
      ["m"],
    ],
  ];
  test.each(refused)("to people who may write: one %s", async (_, admit, expected) => {
    const userId = "US.13491208655302741918";
    await accept([message({ sender: { ...sender, userId } })]);
    await trial.store.accept(cloud, [revoke("m", { ...nobody, userId })], { ...everybody, admit });
    expect(kept()).toEqual(expected);
  });
});

describe("a message that nothing overtook", () => {
  const statements = async (work: () => Promise<unknown>): Promise<string[]> => {
    const seen: string[] = [];
    const original = Database.prototype.sql;
    const spy = spyOn(Database.prototype, "sql").mockImplementation(function (
      this: Database,
      text: string,
    ) {
      seen.push(text);
      return original.call(this, text);
    });
    await work().finally(() => spy.mockRestore());
    return seen.filter((text) => text.includes("early_amendments"));
  };

  test("asks the file for none, but once after the start", async () => {
    expect(await statements(() => accept([message()]))).toHaveLength(1);
    expect(await statements(() => accept([message()]))).toEqual([]);
  });

  test("nor while others are kept", async () => {
    await before(revoke("other"));
    expect(await statements(() => accept([message()]))).toEqual([]);
    trial.reopen();
    await accept([message()]);
    expect(await statements(() => accept([message()]))).toEqual([]);
  });
});

test("while an edit's code is loaded for the first time, what comes later does not overtake", async () => {
  const [first, second] = [message(), message()];
  const batch = [revoke("unknown"), { kind: "message", message: first }] as const;
  const outcomes = [trial.store.accept(cloud, [...batch], everybody), accept([second])];
  const [chat] = (await Promise.all(outcomes)).map(({ admitted }) => admitted[0]?.chat ?? 0);
  expect(trial.store.pendingMessages(chat ?? 0, 9).map((each) => each.message.id)).toEqual([
    first.id,
    second.id,
  ]);
});

test("nor once it is loaded, and they are about to go on", async () => {
  const first = message();
  const batch: InboundEvent[] = [revoke("unknown"), { kind: "message", message: first }];
  const outcomes = [trial.store.accept(cloud, batch, everybody)];
  const ids = [first.id];
  await import("../../src/store/amendments.ts");
  for (let step = 0; step < 10; step++) {
    const one = message();
    ids.push(one.id);
    outcomes.push(accept([one]));
    await Promise.resolve();
  }
  const [chat] = (await Promise.all(outcomes)).map(({ admitted }) => admitted[0]?.chat ?? 0);
  expect(trial.store.pendingMessages(chat ?? 0, 99).map((each) => each.message.id)).toEqual(ids);
});
