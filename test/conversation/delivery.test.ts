import { expect, test } from "bun:test";
import type { Channel } from "../../src/channels/channel.ts";
import { answerOf, newDelivery, outgoing, toDelivery } from "../../src/conversation/delivery.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { fakeChannel } from "../support/channel.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, recipientAt } from "../support/store.ts";

// What is sent of a delivery, to whom, and what one try tells.

const trial = storeTrial();
const recipient = recipientAt("+15550001111");
const content = { kind: "text", text: "hi", quote: null } as const;
const made = () => toDelivery(content, trial.clock.now());

test("one that was just added is as the store has it", async () => {
  const chat = await trial.store.openChat(cloud, recipient);
  const added = made();
  await trial.store.enqueue(chat, [added]);
  expect(newDelivery(chat, added, trial.clock.now())).toEqual(trial.store.delivery(added.id)!);
});

test("it goes to the one whom its chat is with", async () => {
  const chat = await trial.store.openChat(cloud, recipient);
  const added = made();
  const stored = trial.store.chat(chat)!;
  expect(outgoing(stored, newDelivery(chat, added, 0))).toEqual({
    id: added.id,
    chat: { kind: "direct", id: "+15550001111" },
    recipient,
    content,
  });
});

/** One try of a channel that sends so, and what is logged of it. */
async function tried(send: Channel["send"], signal = new AbortController().signal) {
  const said: unknown[][] = [];
  const say = (...line: unknown[]) => void said.push(line);
  const delivery = { ...newDelivery(1, made(), 0), id: "a" };
  const out = { id: "a", chat: { kind: "direct", id: "" }, recipient, content } as const;
  const log = { ...silentLog, warn: say, error: say };
  const result = await answerOf(fakeChannel({ send }), delivery, out, { log, signal });
  return { result, said };
}

test("what the platform says is what is told", async () => {
  expect(await tried(async () => ({ ok: true, platformId: "wamid.a" }))).toEqual({
    result: { ok: true, platformId: "wamid.a" },
    said: [],
  });
});

test.each([
  ["TypeError: no such field", new TypeError("no such field")],
  ["unknown", "no such field"],
])("what breaks unexpectedly is in doubt, and asks to be reported: %s", async (error, thrown) => {
  expect(await tried(() => Promise.reject(thrown))).toEqual({
    result: {
      ok: false,
      failure: {
        retry: "ambiguous",
        afterMs: null,
        code: "internal",
        hint: "Revka met an unexpected error while sending; please report it.",
      },
    },
    said: [[{ channel: "whatsapp", delivery: "a", error }, "sending failed unexpectedly"]],
  });
});

test("what a stop cuts off is in doubt, and nothing to report", async () => {
  const stopped = AbortSignal.abort(new Error("the daemon is stopping"));
  const { result, said } = await tried(() => Promise.reject(new Error("cut off")), stopped);
  expect(result).toMatchObject({ ok: false, failure: { retry: "ambiguous", code: "stopped" } });
  expect(said).toEqual([]);
});
