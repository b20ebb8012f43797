import { expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent } from "../../src/channels/message.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody, recipientAt } from "../support/store.ts";

const trial = storeTrial();

const react = (targetId: string, emoji: string | null) => {
  const sender = { ...nobody, phone: "+15550001111" };
  const event: InboundEvent = { kind: "reaction", targetId, emoji, sender };
  return trial.store.accept(cloud, [event], everybody);
};
const kept = (table: "inbox" | "outbox") => {
  const file = new DatabaseSync(trial.file, { readOnly: true });
  const rows = file.prepare(`SELECT reaction FROM ${table}`).all();
  file.close();
  return rows.map(({ reaction }) => reaction);
};

test("a reaction is kept with the message it is to, the last one counts, and it starts no turn", async () => {
  const hers = message();
  const events = [hers, message()].map((each) => ({ kind: "message" as const, message: each }));
  await trial.store.accept(cloud, events, everybody);
  for (const emoji of ["👍", "🎉", null]) {
    await react(hers.id, emoji);
    expect(kept("inbox")).toEqual([emoji, null]);
  }
  expect(trial.store.counts().pendingMessages).toBe(2);
});

test("a reaction to an answer is kept with that; one to nothing known changes nothing", async () => {
  const chat = await trial.store.openChat(cloud, recipientAt("+15550001111"));
  await trial.store.enqueue(chat, [
    { id: "d1", content: { kind: "text", text: "hi", quote: null } },
  ]);
  await trial.store.markSending("d1");
  await trial.store.markSent("d1", "wamid.sent");
  await react("wamid.sent", "❤️");
  await react("wamid.unknown", "👎");
  expect(kept("outbox")).toEqual(["❤️"]);
});
