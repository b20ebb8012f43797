import { expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { AcceptRules } from "../../src/store/contract.ts";
import type { Amendment } from "../../src/store/early-amendments.ts";
import { acceptTrial } from "../support/accept-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

// Nothing is kept of a message that was kept out, whenever its writer edits it or takes it back.

const { trial, accept } = acceptTrial();

const { sender } = message();
const stranger = { ...nobody, phone: "+15550006666" };
const edit = (targetId: string, text: string, at = 0, by = sender): Amendment => ({
  kind: "edit",
  targetId,
  text,
  sender: by,
  at,
});
const revoke = (targetId: string): Amendment => ({ kind: "revoke", targetId, sender });
/** What the file holds, oldest first. */
const kept = () => {
  const db = new DatabaseSync(trial.file, { readOnly: true });
  const rows = db.prepare("SELECT platform_id FROM early_amendments ORDER BY id").all();
  db.close();
  return rows.map((row) => String(row["platform_id"]));
};

const gated: AcceptRules = {
  ...everybody,
  admit: (each) =>
    each.text.startsWith("@bot ")
      ? { admitted: true, message: each }
      : { admitted: false, reason: "mention_missing" },
};
const group = { kind: "group", id: "g" } as const;
const amend = (amendment: Amendment) => trial.store.accept(cloud, [amendment], gated);

test("nothing is kept of what a mention gate keeps out, neither what is said of it afterwards, nor what was said before", async () => {
  const [first, second] = [message({ chat: group }), message({ chat: group })];
  await amend(edit(second.id, "private"));
  await accept([first, second], gated);
  await amend(edit(first.id, "private"));
  await amend(revoke(first.id));
  expect(kept()).toEqual([]);
  trial.reopen();
  expect(kept()).toEqual([]);
});

test("nor of one that came too late", async () => {
  const one = message();
  const late: AcceptRules = {
    ...everybody,
    admit: (each) =>
      each.id === one.id
        ? { admitted: false, reason: "too_old" }
        : { admitted: true, message: each },
  };
  await accept([one], late);
  await trial.store.accept(cloud, [edit(one.id, "private")], late);
  expect(kept()).toEqual([]);
});

test("nor of one in a chat of a kind where its writer is not answered", async () => {
  const [first, second] = [message({ chat: group }), message({ chat: group })];
  const direct: AcceptRules = {
    ...everybody,
    admit: (each) =>
      each.chat.kind === "group"
        ? { admitted: false, reason: "policy_ignore" }
        : { admitted: true, message: each },
  };
  const tell = (amendment: Amendment) => trial.store.accept(cloud, [amendment], direct);
  await tell(edit(second.id, "private"));
  await accept([first, second], direct);
  await tell(edit(first.id, "private"));
  expect(kept()).toEqual([]);
});

test("nor of one that many strangers wrote after, who may not write at all", async () => {
  const strict: AcceptRules = {
    ...gated,
    admit: (each) =>
      each.sender.phone === sender.phone
        ? gated.admit(each)
        : { admitted: false, reason: "not_allowed" },
  };
  const one = message({ chat: group });
  const strangers = Array.from({ length: 1_000 }, () => message({ sender: stranger }));
  await accept([one, ...strangers], strict);
  await trial.store.accept(cloud, [edit(one.id, "private")], strict);
  expect(kept()).toEqual([]);
});

test("but of its writer alone: whoever takes its id keeps out nobody else's words", async () => {
  const one = message({ text: "@bot old", sender: stranger });
  await amend(edit(one.id, "@bot before", 1, stranger));
  await accept([message({ id: one.id })], gated);
  expect(kept()).toEqual([one.id]);
  await amend(edit(one.id, "@bot new", 2, stranger));
  const { admitted } = await accept([one], gated);
  const texts = trial.store.pendingMessages(admitted[0]?.chat ?? 0, 9);
  expect(texts.map((entry) => entry.message.text)).toEqual(["@bot new"]);
});
