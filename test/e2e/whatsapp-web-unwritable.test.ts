import { afterEach, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import { KeyStore } from "../../src/channels/whatsapp-web/key-store.ts";
import { Harness } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

/** What came, each once: the end of what was handed over may have been unwritten too, and the inbox knows it. */
const texts = () => [...new Set(h.messages().map(({ text }) => text))];

test("a session that cannot be written: nothing is acknowledged or sent, and all of it comes once it can", async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "before");
  await h.message("before");
  // Whoever holds the file, or fills the disk: every write fails.
  const other = new DatabaseSync(h.sessionPath);
  other.exec("BEGIN IMMEDIATE");
  const sent = h.wa.clientMessages.all.length;
  const reasons: (string | null)[] = [];
  h.channel.onStatus(() => reasons.push(h.channel.status().reason));
  await h.ada.send(h.owner, "while it cannot");
  await h.until(() => h.channel.status().state === "disconnected");
  expect(reasons.join()).toContain("cannot be written");
  expect(texts()).toEqual(["before"]);
  const sending = h.send(h.ada, "an answer", "delivery-z");
  // Once more: it came back, and met the same.
  h.states.clear();
  await h.states.waitFor((state) => state === "disconnected");
  expect(h.wa.clientMessages.all).toHaveLength(sent);
  other.exec("ROLLBACK");
  other.close();
  await h.message("while it cannot");
  await h.ready();
  await sending;
  expect(await h.send(h.ada, "an answer", "delivery-z")).toMatchObject({ ok: true });
  await h.ada.waitForMessage("an answer");
  expect(h.ada.inbox.all.filter(({ text }) => text === "an answer")).toHaveLength(1);
  await h.ada.send(h.owner, "after");
  await h.message("after");
  expect(texts()).toEqual(["before", "while it cannot", "after"]);
  expect(h.ignored()).not.toContain("undecryptable");
});

test("a session that cannot be read for a moment: nothing is refused for that, and it comes afterwards", async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "before");
  await h.message("before");
  await h.restart();
  const read = KeyStore.prototype.get;
  const get = spyOn(KeyStore.prototype, "get").mockImplementation(function (this: KeyStore, ...of) {
    if (of[0] === "session") throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
    return read.apply(this, of);
  });
  h.states.clear();
  await h.ada.send(h.owner, "while it cannot");
  await h.states.waitFor((state) => state === "disconnected").finally(() => get.mockRestore());
  await h.message("while it cannot");
  expect(h.ignored()).not.toContain("undecryptable");
  expect(h.wa.clientAcks.all.filter(({ error }) => error !== undefined)).toEqual([]);
});
