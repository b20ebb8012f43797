import type { TurnMessage } from "../../src/agent/agent.ts";
import type { PayloadRow } from "../../test/e2e/support/payloads.ts";

/** Rows that one daemon can take after each other without one changing what another gives. */
export interface RowGroup {
  api: PayloadRow["api"];
  phoneNumberId: string;
  allowed: string[];
  rows: PayloadRow[];
}

const anyNumberId = "1060000000000001";

/** Puts rows together that have the same business number and share no message id and no customer's user id. */
export function groups(rows: readonly PayloadRow[]): RowGroup[] {
  const made: (RowGroup & { everybody: boolean; ids: Set<string> })[] = [];
  for (const row of rows.map(withLegalNumber)) {
    const ids = idsIn(row);
    const phoneNumberId = (row.api === "meta" ? row.phoneNumberIds[0] : undefined) ?? anyNumberId;
    // A placeholder such as "PHONE_NUMBER" can stand in no list.
    const everybody = row.senders.some((sender) => !/^\+?\d+$|^[A-Z]{2}\./.test(sender));
    let group = made.find(
      (other) =>
        other.api === row.api &&
        other.phoneNumberId === phoneNumberId &&
        other.everybody === everybody &&
        ids.every((id) => !other.ids.has(id)),
    );
    if (!group) {
      const { api } = row;
      group = { api, phoneNumberId, everybody, allowed: [], rows: [], ids: new Set() };
      made.push(group);
    }
    group.rows.push(row);
    for (const id of ids) group.ids.add(id);
    group.allowed = everybody ? ["*"] : [...new Set([...group.allowed, ...row.senders])];
  }
  return made;
}

/** A placeholder such as `<BUSINESS_PHONE_NUMBER_ID>` cannot be configured: a number stands in for it, in the body too. */
function withLegalNumber(row: PayloadRow): PayloadRow {
  const [given] = row.phoneNumberIds;
  if (given === undefined || /^[\w-]+$/.test(given)) return row;
  const body = Buffer.from(row.body.toString("utf8").replaceAll(given, anyNumberId), "utf8");
  return { ...row, body, phoneNumberIds: [anyNumberId] };
}

/** Every string under a key that names a message or a person. */
function idsIn(row: PayloadRow): string[] {
  const found: string[] = [];
  const walk = (value: unknown, parent: string): void => {
    if (Array.isArray(value)) {
      for (const item of value) walk(item, parent);
      return;
    }
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      const names = /^(id|message_id|original_message_id)$/.test(key)
        ? !["entry", "group"].includes(parent)
        : /^(whatsappMessageId|user_id|from_user_id|bsuid)$/.test(key);
      if (names && typeof item === "string") found.push(item);
      walk(item, key);
    }
  };
  try {
    walk(JSON.parse(row.body.toString("utf8")), "");
  } catch {
    // A body that is no JSON has no ids.
  }
  return found;
}

/** What the agent saw (`chats`: the group's id for each, or "") against the row; each deviation in words. */
export function compare(
  row: PayloadRow,
  seen: readonly TurnMessage[],
  chats: readonly string[],
): string[] {
  if (seen.length !== row.count) return [`${seen.length} messages instead of ${row.count}`];
  const deviations: string[] = [];
  const left = [...seen];
  const expected = row.senders
    .map((sender, index) => ({ sender, text: row.texts[index] ?? null }))
    // Those with a text of their own first: the others would take any.
    .sort((a, b) => Number(b.text !== null) - Number(a.text !== null))
    .slice(0, row.count);
  for (const { sender, text } of expected) {
    const found = left.findIndex((message) => isFrom(message, sender) && says(message, text));
    if (found >= 0) left.splice(found, 1);
    else deviations.push(`none from ${sender} that says ${JSON.stringify(text)}`);
  }
  for (const { type, text, sender } of deviations.length > 0 ? left : []) {
    deviations.push(
      `instead ${type} from ${sender.phone ?? sender.user_id}: ${JSON.stringify(text)}`,
    );
  }
  const groupIds = chats.filter((id) => id !== "");
  if (!sameSet(groupIds, row.groupIds)) {
    deviations.push(`groups ${groupIds.join()} instead of ${row.groupIds.join()}`);
  }
  const replies = seen.flatMap(({ reply_to }) => (reply_to === null ? [] : [reply_to]));
  if (!sameSet(replies, row.replyTo)) {
    deviations.push(`replies to ${replies.join()} instead of ${row.replyTo.join()}`);
  }
  return deviations;
}

function isFrom({ sender }: TurnMessage, expected: string): boolean {
  const digits = expected.replace(/^\+/, "");
  return sender.phone?.replace(/^\+/, "") === digits || sender.user_id === expected;
}

/** Revka renders an order as one line, which holds the customer's words. */
function says(message: TurnMessage, text: string | null): boolean {
  if (text === null) return true;
  return message.type === "order" ? message.text.includes(text) : message.text === text;
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return [...new Set(a)].sort().join("\n") === [...new Set(b)].sort().join("\n");
}
