import { describe, expect, test } from "bun:test";
import { DatabaseSync } from "node:sqlite";
import type { InboundEvent, Message, Recipient, Sender } from "../../src/channels/message.ts";
import type { AcceptRules } from "../../src/store/contract.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, nobody } from "../support/store.ts";

const trial = storeTrial();

const phone = "+491700000001";

async function chatOf(changes: Partial<Message>): Promise<number> {
  const event: InboundEvent = { kind: "message", message: message(changes) };
  const { admitted } = await trial.store.accept(cloud, [event], everybody);
  return admitted[0]?.chat ?? 0;
}

/** The platform says that these identities are one person. */
async function learn(sender: Sender): Promise<void> {
  const previous = { previousUserId: null, previousPhone: null };
  await trial.store.accept(cloud, [{ kind: "identity", sender, ...previous }], everybody);
}

test("a chat that was read before is read as it is now: paused or not, its window, who it is with", async () => {
  const chat = await chatOf({ sender: { ...nobody, phone }, timestamp: 1_600_000_000 });
  expect(trial.store.chat(chat)).toMatchObject({ paused: false, lastInboundAt: 1_600_000_000_000 });
  await trial.store.setPaused(chat, true);
  expect(trial.store.chat(chat)?.paused).toBe(true);
  await trial.store.setPaused(chat, false);
  expect(trial.store.chat(chat)?.paused).toBe(false);
  await chatOf({ sender: { ...nobody, phone }, timestamp: 1_600_000_600 });
  expect(trial.store.chat(chat)?.lastInboundAt).toBe(1_600_000_600_000);
  expect(trial.store.chat(chat)?.recipient).toMatchObject({ phone, lid: null });
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect(trial.store.chat(chat)?.recipient).toMatchObject({ phone, lid: "77@lid" });
});

test("chats that turn out to be one are read as that one, though each was read before", async () => {
  const one = await chatOf({ sender: { ...nobody, phone } });
  const other = await chatOf({ sender: { ...nobody, lid: "77@lid" } });
  expect([trial.store.chat(one)?.id, trial.store.chat(other)?.id]).toEqual([one, other]);
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect([trial.store.chat(one)?.id, trial.store.chat(other)?.id]).toEqual([one, one]);
  expect(trial.store.chat(other)?.recipient).toMatchObject({ phone, lid: "77@lid" });
});

test("an account that changes its backend is read with the new one", async () => {
  const chat = await chatOf({ sender: { ...nobody, phone } });
  expect(trial.store.chat(chat)?.source.backend).toBe("cloud");
  const event: InboundEvent = { kind: "message", message: message() };
  await trial.store.accept({ ...cloud, backend: "web" }, [event], everybody);
  expect(trial.store.chat(chat)?.source.backend).toBe("web");
});

test("someone new is not taken for who was last joined with another", async () => {
  const one = await chatOf({ sender: { ...nobody, phone } });
  await chatOf({ sender: { ...nobody, lid: "77@lid" } });
  await learn({ ...nobody, phone, lid: "77@lid" });
  const stranger = await chatOf({ sender: { ...nobody, phone: "+491700000002" } });
  expect(stranger).not.toBe(one);
  expect(trial.store.chat(stranger)?.recipient).toMatchObject({
    phone: "+491700000002",
    lid: null,
  });
});

test("of someone who was joined with another nothing is left beside that one", async () => {
  await chatOf({ sender: { ...nobody, phone } });
  await chatOf({ sender: { ...nobody, lid: "77@lid" } });
  await learn({ ...nobody, phone, lid: "77@lid" });
  const file = new DatabaseSync(trial.file, { readOnly: true });
  const people = file.prepare("SELECT phone, lid FROM people").all();
  file.close();
  expect(people.map((person) => ({ ...person }))).toEqual([{ phone, lid: "77@lid" }]);
});

test.each([
  ["earlier", 1_600_000_000, 1_600_000_600],
  ["later", 1_600_000_600, 1_600_000_000],
])("a joined chat has the window of who wrote %s", async (_, ofPhone, ofLid) => {
  const one = await chatOf({ sender: { ...nobody, phone }, timestamp: ofPhone });
  await chatOf({ sender: { ...nobody, lid: "77@lid" }, timestamp: ofLid });
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect(trial.store.chat(one)?.lastInboundAt).toBe(1_600_000_600_000);
});

test.each([
  ["is that of who wrote", 1_600_000_600_000, 1],
  ["is none where neither wrote", null, 0],
])("the window of a joined chat %s", async (_, at, windows) => {
  const one = at ? await chatOf({ sender: { ...nobody, phone }, timestamp: at / 1000 }) : null;
  const unheard = { kind: "direct", phone: null, userId: null } as const;
  const chat = one ?? (await trial.store.openChat(cloud, { ...unheard, phone, lid: null }));
  await trial.store.openChat(cloud, { ...unheard, lid: "77@lid" });
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect(trial.store.chat(chat)?.lastInboundAt).toBe(at);
  expect(trial.store.closedWindows(Number.MAX_SAFE_INTEGER)).toBe(windows);
});

test("the own chat stays the own one where it is joined, too", async () => {
  const direct = await chatOf({ sender: { ...nobody, phone } });
  const own = await chatOf({ sender: { ...nobody, lid: "77@lid" }, chat: { kind: "self" } });
  await learn({ ...nobody, phone, lid: "77@lid" });
  expect(trial.store.chat(own)?.chat).toEqual({ kind: "self", id: phone });
  expect(trial.store.pendingMessages(direct, 9)).toHaveLength(1);
});

describe("the chat of a recipient", () => {
  const toGroup: Recipient = { kind: "group", id: "1203@g.us" };
  const toSelf: Recipient = { kind: "self" };
  const sender = { ...nobody, phone };

  test("that is a group is the one its members write in, and is made where nobody has", async () => {
    const made = await trial.store.openChat(cloud, toGroup);
    expect(trial.store.chat(made)).toMatchObject({
      chat: { kind: "group", id: "1203@g.us" },
      recipient: toGroup,
      lastInboundAt: null,
    });
    expect(await chatOf({ sender, chat: { kind: "group", id: "1203@g.us" } })).toBe(made);
    expect(await trial.store.openChat(cloud, toGroup)).toBe(made);
    trial.reopen();
    expect(await trial.store.openChat(cloud, toGroup)).toBe(made);
    expect(await trial.store.openChat(cloud, { kind: "group", id: "1204@g.us" })).not.toBe(made);
  });

  test("that is the owner is the one the own messages came in, and is made where none has", async () => {
    const made = await trial.store.openChat(cloud, toSelf);
    expect(trial.store.chat(made)?.recipient).toEqual(toSelf);
    expect(await trial.store.openChat(cloud, toSelf)).toBe(made);
    trial.reopen();
    expect(await trial.store.openChat(cloud, toSelf)).toBe(made);
    const own = await chatOf({ sender, chat: { kind: "self" } });
    await chatOf({ sender });
    await chatOf({ sender: { ...nobody, phone: "+491700000002" } });
    expect(await trial.store.openChat(cloud, toSelf)).toBe(own);
  });

  test("that is the owner is the latest of the own chats, where another number was linked", async () => {
    await chatOf({ sender, chat: { kind: "self" } });
    const latest = { ...nobody, phone: "+491700000002" };
    const own = await chatOf({ sender: latest, chat: { kind: "self" } });
    expect(await trial.store.openChat(cloud, toSelf)).toBe(own);
  });
});

test.each(["direct", "self"] as const)(
  "the own chat and the direct one of the same person are two: that of kind %s first",
  async (kind) => {
    const sender = { ...nobody, phone };
    const first = await chatOf({ sender, chat: { kind } });
    const second = await chatOf({ sender, chat: { kind: kind === "self" ? "direct" : "self" } });
    expect(second).not.toBe(first);
    trial.reopen();
    expect(await chatOf({ sender, chat: { kind } })).toBe(first);
    expect(trial.store.chat(first)?.chat.kind).toBe(kind);
  },
);

test("an account was last written to when a message was admitted, not when anything else came", async () => {
  const received = () => trial.store.sources().map(({ lastInboundAt }) => lastInboundAt);
  await learn({ ...nobody, phone });
  expect(received()).toEqual([null]);
  await trial.clock.advance(1_000);
  await chatOf({ id: "first", sender: { ...nobody, phone } });
  const first = trial.clock.now();
  await trial.clock.advance(1_000);
  await learn({ ...nobody, phone, lid: "77@lid" });
  await chatOf({ id: "first", sender: { ...nobody, phone } });
  expect(received()).toEqual([first]);
});

test("an account last sent when the platform took something of its own, not when that failed", async () => {
  const other = { ...cloud, account: "2000" };
  const content = { kind: "text", text: "hi", quote: null } as const;
  for (const source of [cloud, other]) {
    const toGroup = { kind: "group", id: "1203@g.us" } as const;
    const chat = await trial.store.openChat(source, toGroup);
    await trial.store.enqueue(chat, [{ id: source.account, content }]);
    await trial.store.markSending(source.account);
  }
  const failure = { retry: "no", afterMs: null, code: "131026", hint: "" } as const;
  await trial.store.markFailed(other.account, failure);
  await trial.store.markSent(cloud.account, "wamid.1");
  expect(trial.store.sources().map(({ lastOutboundAt }) => lastOutboundAt)).toEqual([
    trial.clock.now(),
    null,
  ]);
});

describe("after a batch that was rolled back", () => {
  const breaks: AcceptRules = {
    ...everybody,
    admit(each) {
      if (each.text === "breaks") throw new Error("a mistake");
      return { admitted: true, message: each };
    },
  };
  const events = (...messages: Message[]) =>
    messages.map((each): InboundEvent => ({ kind: "message", message: each }));

  test("what it had learned of a person is learned again", async () => {
    const chat = await chatOf({ sender: { ...nobody, phone } });
    const both = { ...nobody, phone, lid: "77@lid" };
    const bad = events(message({ sender: both }), message({ text: "breaks" }));
    await expect(trial.store.accept(cloud, bad, breaks)).rejects.toThrow("a mistake");
    expect(await chatOf({ sender: both })).toBe(chat);
    expect(await chatOf({ sender: { ...nobody, lid: "77@lid" } })).toBe(chat);
  });

  test("an account's last message counts, though a neighbour's failure had taken it back", async () => {
    await Promise.allSettled([
      trial.store.accept(cloud, events(message()), breaks),
      trial.store.accept(cloud, events(message({ text: "breaks" })), breaks),
    ]);
    expect(trial.store.sources().map(({ lastInboundAt }) => lastInboundAt)).toEqual([
      trial.clock.now(),
    ]);
  });
});
