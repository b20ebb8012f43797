import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { parseWebhook } from "../../../src/channels/whatsapp-cloud/payload.ts";
import { canonicalPhone } from "../../../src/config/numbers.ts";

/** Webhook bodies that other projects keep, beside the checkout; see the README of that folder. */
const folder = join(import.meta.dir, "../../../../shared/payloads");
const index = join(folder, "INDEX.tsv");

const list = v.pipe(v.string(), v.parseJson(), v.array(v.nullable(v.string())));
const row = v.object({
  path: v.string(),
  api: v.string(),
  class: v.picklist(["core", "negative", "lenient", "edge", "robust"]),
  n_user_messages: v.pipe(v.string(), v.toNumber()),
  senders: list,
  texts: list,
  statuses: v.string(),
  phone_number_ids: list,
  group_ids: list,
  reply_to: list,
});
type Row = v.InferOutput<typeof row>;

function readRows(): Row[] {
  const [head = "", ...lines] = readFileSync(index, "utf8").trimEnd().split("\n");
  const names = head.split("\t");
  return lines
    .map((line) => line.split("\t"))
    .map((cells) =>
      v.parse(row, Object.fromEntries(names.map((name, at) => [name, cells[at] ?? ""]))),
    )
    .filter((it) => it.api === "meta");
}

interface Envelope {
  entry?: { changes?: { value?: { metadata?: unknown } }[] }[];
}

/** Bodies whose author left the metadata out get some: whose number it is has a test of its own. */
function withMetadata(body: unknown, phoneNumberId: string): unknown {
  const envelope = body as Envelope;
  if (!Array.isArray(envelope.entry)) return body;
  for (const entry of envelope.entry) {
    if (!Array.isArray(entry.changes)) continue;
    for (const { value } of entry.changes) {
      if (value && value.metadata === undefined && ("messages" in value || "statuses" in value)) {
        value.metadata = { phone_number_id: phoneNumberId };
      }
    }
  }
  return body;
}

const now = Date.UTC(2026, 10, 20);
const states = ["sent", "delivered", "read", "played", "failed"];

/** An expected text: null is any, and an order shows its items behind what the customer wrote. */
function fits(text: string, expected: string | null | undefined, type: string): boolean {
  if (expected === null || expected === undefined) return true;
  return type === "order" ? text.startsWith(expected) : text === expected;
}

describe.if(existsSync(index))("bodies of other projects", () => {
  for (const it of existsSync(index) ? readRows() : []) {
    test(`${it.class}: ${it.path}`, () => {
      const own = it.phone_number_ids[0] ?? "own";
      const body: unknown = JSON.parse(readFileSync(join(folder, it.path), "utf8"));
      const bare = parseWebhook(body, own, now);
      expect(bare.length).toBeLessThan(100);
      const events = parseWebhook(withMetadata(body, own), own, now);
      const messages = events.flatMap((event) => (event.kind === "message" ? [event.message] : []));
      const statuses = events.flatMap((event) =>
        event.kind === "status" ? [event.status.state] : [],
      );

      if (it.class === "negative" || it.class === "robust") expect(messages).toEqual([]);
      if (it.class === "core" || it.class === "lenient") {
        expect(messages).toHaveLength(it.n_user_messages);
        const senders = messages.map(({ sender }) => sender.phone ?? sender.userId);
        const expected = it.senders.map((sender) => canonicalPhone(sender ?? "") ?? sender);
        expect(senders).toEqual(expected);
        const wrong = messages.filter(
          (message, at) => !fits(message.text, it.texts[at], message.type),
        );
        expect(wrong).toEqual([]);
        const replies = messages.flatMap(({ replyTo }) => replyTo ?? []);
        expect(replies).toEqual(it.reply_to.flatMap((id) => id ?? []));
        const groups = messages.flatMap(({ chat }) => (chat.kind === "group" ? [chat.id] : []));
        expect(groups).toEqual(it.group_ids.flatMap((id) => id ?? []));
      }
      if (it.class === "edge") expect(messages.length).toBeLessThanOrEqual(it.n_user_messages);
      if (states.includes(it.statuses)) expect(statuses).toEqual([it.statuses] as never);
      if (it.class === "core") {
        expect(parseWebhook(body, "another", now).some(({ kind }) => kind === "message")).toBe(
          false,
        );
      }
    });
  }
});
