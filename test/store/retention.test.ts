import { describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { SendFailure } from "../../src/channels/message.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const day = 24 * 60 * 60 * 1000;
const trial = storeTrial();

/** A message, its file, its turn and its answer; all of it done where `finished`. Answers the key of the message. */
async function exchange(finished = true): Promise<number> {
  const { admitted } = await trial.store.accept(
    cloud,
    [{ kind: "message", message: message() }],
    everybody,
  );
  const chat = admitted[0]?.chat ?? 0;
  const id = trial.store.pendingMessages(chat, 1_000).at(-1)?.id ?? 0;
  await trial.store.addAttachments(id, [{ path: `/media/${id}`, bytes: 1 }]);
  if (!finished) return id;
  const delivery = `d${id}`;
  await trial.store.finishTurn({
    chat,
    turnId: `turn_${id}`,
    messages: [id],
    history: [{ role: "user", text: "hello", messageId: id }],
    keepHistory: 1_000,
    deliveries: [{ id: delivery, content: { kind: "text", text: "hello", quote: null } }],
  });
  await trial.store.markSending(delivery);
  await trial.store.markSent(delivery, `wamid.${id}`);
  return id;
}

const rows = () => {
  const db = new DatabaseSync(trial.file, { readOnly: true });
  const count = (table: string) =>
    Number(db.prepare(`SELECT count(*) AS n FROM ${table}`).get()?.["n"]);
  const counts = {
    inbox: count("inbox"),
    outbox: count("outbox"),
    history: count("history"),
    attachments: count("attachments"),
  };
  db.close();
  return counts;
};

const none = { messages: 0, deliveries: 0 };
/** A step, whose files are removed. */
const retain = async (limit = 1_000, running = [cloud]) => {
  const step = await trial.store.retain({
    contentBefore: trial.clock.now() - 2 * day,
    keysBefore: trial.clock.now() - 8 * day,
    running,
    rows: limit,
  });
  await trial.store.forgetFiles(step.files.map(({ id }) => id));
  return { ...step, files: step.files.map(({ path }) => path) };
};

test("what is past its time goes, what is not stays; keys of de-duplication outlive the content", async () => {
  const old = await exchange();
  await trial.clock.advance(3 * day);
  await exchange();
  expect(await retain()).toEqual({ files: [`/media/${old}`], expired: none, more: false });
  expect(rows()).toEqual({ inbox: 2, outbox: 1, history: 1, attachments: 1 });
  await trial.clock.advance(6 * day);
  await retain();
  expect(rows()).toEqual({ inbox: 1, outbox: 0, history: 0, attachments: 0 });
});

test("a file is told of at each step until it is forgotten, and counts until then", async () => {
  const id = await exchange();
  await trial.clock.advance(3 * day);
  const limits = {
    contentBefore: trial.clock.now() - 2 * day,
    keysBefore: 0,
    running: [],
    rows: 10,
  };
  const { files } = await trial.store.retain(limits);
  expect(files).toMatchObject([{ messageId: id, path: `/media/${id}`, bytes: 1 }]);
  trial.reopen();
  expect((await trial.store.retain(limits)).files).toEqual(files);
  expect(trial.store.attachmentBytes()).toBe(1);
  await trial.store.forgetFiles(files.map((file) => file.id));
  expect((await trial.store.retain(limits)).files).toEqual([]);
  expect(trial.store.attachmentBytes()).toBe(0);
});

test("it goes in small steps, each saying whether there is more", async () => {
  for (let i = 0; i < 25; i++) await exchange();
  await trial.clock.advance(9 * day);
  const steps: boolean[] = [];
  for (let more = true; more;) {
    const before = rows();
    ({ more } = await retain(10));
    const after = rows();
    steps.push(more);
    for (const [table, count] of Object.entries(before)) {
      expect(
        count - (Object.entries(after).find(([name]) => name === table)?.[1] ?? 0),
      ).toBeLessThanOrEqual(10);
    }
  }
  expect(steps).toEqual([true, true, false]);
  expect(rows()).toEqual({ inbox: 0, outbox: 0, history: 0, attachments: 0 });
});

test("what still waits for a turn is kept however old it is, and holds up nothing behind it", async () => {
  for (let i = 0; i < 5; i++) await exchange(false);
  await trial.clock.advance(1);
  const { admitted } = await trial.store.accept(
    cloud,
    [{ kind: "message", message: message({ chat: { kind: "group", id: "G" } }) }],
    everybody,
  );
  const group = admitted[0]?.chat ?? 0;
  const [done] = trial.store.pendingMessages(group, 1);
  await trial.store.addAttachments(done?.id ?? 0, [{ path: "/media/done", bytes: 1 }]);
  await trial.store.finishTurn({
    chat: group,
    turnId: "turn",
    messages: [done?.id ?? 0],
    history: [],
    keepHistory: 1,
    deliveries: [],
  });
  await trial.clock.advance(9 * day);
  let files: string[] = [];
  for (let more = true; more;) {
    const step = await retain(2);
    files = [...files, ...step.files];
    more = step.more;
  }
  expect(files).toEqual(["/media/done"]);
  expect(rows()).toEqual({ inbox: 5, outbox: 0, history: 0, attachments: 5 });
});

describe("what is kept at the head, however much of it, holds up for good nothing behind it:", () => {
  /** As many rounds as are needed, each to its end. */
  const rounds = async (most: number) => {
    for (let round = 0; round < most; round++) while ((await retain(2)).more);
  };

  test("what is open", async () => {
    for (let i = 0; i < 40; i++) {
      const phone = `+1555000${2000 + i}`;
      const each = message({ sender: { ...nobody, phone } });
      await trial.store.accept(cloud, [{ kind: "message", message: each }], everybody);
    }
    const chat = await trial.store.openChat(cloud, {
      kind: "direct",
      phone: "+15550002000",
      userId: null,
      lid: null,
    });
    const ids = Array.from({ length: 40 }, (_, i) => `waits${i}`);
    const content = { kind: "text" as const, text: "waits", quote: null };
    await trial.store.enqueue(
      chat,
      ids.map((id) => ({ id, content })),
    );
    await exchange();
    await trial.clock.advance(9 * day);
    const failure: SendFailure = { retry: "backoff", afterMs: null, code: "code", hint: "hint" };
    for (const id of ids) await trial.store.markRetry(id, 0, failure);
    await rounds(8);
    expect(rows()).toEqual({ inbox: 40, outbox: 40, history: 0, attachments: 0 });
  });

  test("what was sent anew", async () => {
    const failure: SendFailure = { retry: "no", afterMs: null, code: "code", hint: "hint" };
    for (let i = 0; i < 41; i++) await exchange();
    await trial.clock.advance(3 * day);
    const db = new DatabaseSync(trial.file);
    const ids = db.prepare("SELECT id FROM outbox ORDER BY seq LIMIT 40").all();
    db.exec("UPDATE outbox SET state = 3");
    db.close();
    for (const { id } of ids) {
      await trial.store.redeliver(String(id));
      await trial.store.markFailed(String(id), failure);
    }
    await rounds(8);
    expect(rows().outbox).toBe(40);
  });

  test("what came while the clock was ahead", async () => {
    await trial.clock.advance(400 * day);
    for (let i = 0; i < 40; i++) await exchange();
    await trial.clock.advance(-400 * day);
    await exchange();
    await trial.clock.advance(9 * day);
    await rounds(8);
    expect(rows()).toEqual({ inbox: 40, outbox: 40, history: 40, attachments: 40 });
  });
});

describe("what waited past its time", () => {
  const texts = () => {
    const db = new DatabaseSync(trial.file, { readOnly: true });
    const kept = db.prepare("SELECT message FROM inbox WHERE message IS NOT NULL").all();
    db.close();
    return kept.length;
  };
  const open = { id: "open", content: { kind: "text" as const, text: "waits", quote: null } };
  const arrive = async (each = message()) => {
    const outcome = await trial.store.accept(
      cloud,
      [{ kind: "message", message: each }],
      everybody,
    );
    return outcome.admitted[0]?.chat ?? 0;
  };

  test("in a paused chat goes, its key stays; nothing of it is taken up after", async () => {
    const again = message();
    const chat = await arrive(again);
    await trial.store.addAttachments(trial.store.pendingMessages(chat, 1)[0]?.id ?? 0, [
      { path: "/media/old", bytes: 1 },
    ]);
    await trial.store.setPaused(chat, true);
    await trial.clock.advance(3 * day);
    await arrive();
    expect(await retain()).toEqual({
      files: ["/media/old"],
      expired: { messages: 1, deliveries: 0 },
      more: false,
    });
    expect([
      trial.store.pendingMessages(chat, 10).length,
      trial.store.counts().pendingMessages,
    ]).toEqual([1, 1]);
    expect(texts()).toBe(1);
    const outcome = await trial.store.accept(
      cloud,
      [{ kind: "message", message: again }],
      everybody,
    );
    expect(outcome.duplicates).toBe(1);
  });

  test("for an account that no longer runs goes, and nothing of one that does", async () => {
    const runs = { ...cloud, account: "2000" };
    await arrive();
    await trial.store.accept(runs, [{ kind: "message", message: message() }], everybody);
    await trial.clock.advance(3 * day);
    await arrive();
    expect((await retain(1_000, [runs])).expired.messages).toBe(1);
    expect([texts(), trial.store.counts().pendingMessages]).toEqual([2, 2]);
    expect(trial.store.chatsWithPendingMessages()).toHaveLength(2);
  });

  test("to be sent goes, wherever it waits", async () => {
    const chat = await arrive();
    await trial.store.enqueue(chat, [open]);
    await trial.clock.advance(day);
    await trial.store.enqueue(chat, [{ ...open, id: "younger" }]);
    await trial.clock.advance(day + 1);
    expect((await retain()).expired).toEqual({ messages: 0, deliveries: 1 });
    expect(trial.store.openDelivery(chat)?.id).toBe("younger");
    const bounded = { ...everybody, maxPendingMessages: 2 };
    const outcome = await trial.store.accept(
      cloud,
      [{ kind: "message", message: message() }],
      bounded,
    );
    expect(outcome.overflow).toBe(0);
  });

  test("goes in steps, too", async () => {
    for (let i = 0; i < 3; i++) await arrive();
    await trial.clock.advance(3 * day);
    expect(await retain(2, [])).toMatchObject({ expired: { messages: 2 }, more: true });
    expect(await retain(2, [])).toMatchObject({ expired: { messages: 1 }, more: false });
  });
});

test("a file that a repeated turn lays down again counts once", async () => {
  const id = await exchange(false);
  await trial.store.addAttachments(id, [{ path: "/media/again", bytes: 10 }]);
  await trial.store.addAttachments(id, [{ path: "/media/again", bytes: 20 }]);
  expect(trial.store.attachmentBytes()).toBe(21);
  await trial.store.addAttachments(id, [{ path: "/media/again", bytes: 30 }]);
  expect(trial.store.attachmentBytes()).toBe(31);
});

test("a file that comes before its store was asked counts beside those before it", async () => {
  const id = await exchange(false);
  await trial.store.addAttachments(id, [{ path: "/media/early", bytes: 10 }]);
  trial.reopen();
  await trial.store.addAttachments(id, [{ path: "/media/late", bytes: 20 }]);
  expect(trial.store.attachmentBytes()).toBe(31);
});

test("the bytes of files are carried on as they come and go, and a failed write does not count", async () => {
  const old = await exchange();
  expect(trial.store.attachmentBytes()).toBe(1);
  await trial.store.addAttachments(old, [{ path: "/media/more", bytes: 4 }]);
  const failed = trial.store.addAttachments(old, [
    { path: "/media/kept-not", bytes: 8 },
    { path: "/media/none", bytes: Number.NaN },
  ]);
  expect(
    await failed.then(
      () => "kept",
      () => "refused",
    ),
  ).toBe("refused");
  expect(trial.store.attachmentBytes()).toBe(5);
  await trial.clock.advance(9 * day);
  await retain();
  expect(trial.store.attachmentBytes()).toBe(0);
});
