import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { systemClock } from "../../src/runtime/clock.ts";
import { Harness } from "../channels/whatsapp-web/harness.ts";

const EACH_WAY = 60;

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

/** Sixty messages each way at once; nothing may be unreadable, missing, doubled or asked for again. */
async function storm(): Promise<void> {
  const numbers = Array.from({ length: EACH_WAY }, (_, index) => index);
  const results = await Promise.all([
    ...numbers.map((index) => h.send(h.ada, `out ${index}`)),
    ...numbers.map(async (index) => {
      await h.ada.send(h.owner, `in ${index}`);
      return { ok: true };
    }),
  ]);
  expect(results.filter(({ ok }) => !ok)).toEqual([]);
  await h.ada.inbox.waitForCount(EACH_WAY, ({ text }) => text?.startsWith("out ") === true);
  await h.events.waitForCount(
    EACH_WAY,
    (event) => event.kind === "message" && event.message.text.startsWith("in "),
    20_000,
  );
  const texts = h.messages().flatMap(({ text }) => (text.startsWith("in ") ? [text] : []));
  expect(texts).toEqual(numbers.map((index) => `in ${index}`));
  expect(new Set(h.ada.inbox.all.map(({ text }) => text)).size).toBeGreaterThanOrEqual(EACH_WAY);
}

test("a warm session: 60 messages each way at once, all readable, none asked for again", async () => {
  h = await Harness.linked({ clock: systemClock });
  await h.ada.send(h.owner, "hello");
  await h.message("hello");
  await h.send(h.ada, "hello yourself");
  await h.ada.waitForMessage("hello yourself");
  await storm();
  expect(h.ada.undecryptable.all).toEqual([]);
  expect(h.wa.retriesAsked.all).toEqual([]);
  expect(h.ignored()).not.toContain("undecryptable");
});

test("first contact from both sides at once: 60 messages each way, all readable", async () => {
  h = await Harness.linked({ clock: systemClock });
  await storm();
  expect(h.ada.undecryptable.all).toEqual([]);
  expect(h.ignored()).not.toContain("undecryptable");
});

test("a storm while the connection breaks three times: every message arrives once", async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "hello");
  await h.message("hello");
  const texts = Array.from({ length: EACH_WAY }, (_, index) => `through ${index}`);
  for (const [index, text] of texts.entries()) {
    await h.ada.send(h.owner, text);
    if (index % 20 === 10) h.wa.cutAll();
  }
  await h.events.waitForCount(
    EACH_WAY,
    (event) => event.kind === "message" && event.message.text.startsWith("through"),
    20_000,
  );
  await h.ready();
  const heard = h.messages().flatMap(({ text }) => (text.startsWith("through") ? [text] : []));
  expect(heard.toSorted()).toEqual(texts.toSorted());
});
