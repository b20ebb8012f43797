import { beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import type { DeliveryContent } from "../../src/channels/message.ts";
import { prepared } from "../support/prepared.ts";
import { settle } from "../support/settle.ts";
import { message } from "../support/store.ts";
import { echo, from, says, turnsTrial } from "../support/turns-trial.ts";

// What is left of a turn: what is sent, remembered and counted.

const { trial, build, receive, deliver, replies } = turnsTrial();

test("a message is answered, and its turn and reply are in the history of the next", async () => {
  await deliver(from("+15550001111", "one"));
  expect(replies()).toEqual(["one"]);
  expect(trial.store.counts().pendingMessages).toBe(0);
  trial.answers = [says("reply")];
  await deliver(from("+15550001111", "two"));
  expect(trial.requests[1]?.history).toEqual([
    { role: "user", text: "one" },
    { role: "assistant", text: "one" },
  ]);
  expect(trial.channel.focused.map((entry) => entry.event)).toEqual([
    "started",
    "ended",
    "started",
    "ended",
  ]);
});

test("half a letter, where an agent cut its answer short, is no text that a platform reads", async () => {
  trial.answers = [says("good night \ud83c")];
  await deliver(from("+15550001111", "bye"));
  expect(replies()).toEqual(["good night \ufffd"]);
});

test("an agent that chooses silence ends the turn without a reply", async () => {
  trial.answers = [async () => ({ parts: [] })];
  await deliver(from("+15550001111", "hello"));
  expect(replies()).toEqual([]);
  expect(trial.store.counts().pendingMessages).toBe(0);
});

test("what a turn has to say is handed on, and how it ended is counted", async () => {
  trial.answers = [says("hi"), async () => ({ parts: [] })];
  await deliver(from("+15550001111", "hello"));
  const [chat] = trial.store.chatsWithOpenDeliveries();
  await deliver(from("+15550001111", "and?"));
  expect(trial.handedOn).toEqual([chat ?? 0]);
  const { values } = await trial.metrics.turns.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ["failed", 0],
    ["answered", 1],
    ["silent", 1],
  ]);
});

test("in a group the history says who spoke", async () => {
  const chat = { kind: "group" as const, id: "G1" };
  await deliver(message({ chat, text: "one" }));
  await deliver(message({ chat, text: "two" }));
  expect(trial.requests[1]?.history[0]).toEqual({ role: "user", text: "Ada: one" });
});

test("what its writer edits after the answer is remembered in its new words, behind their name and files", async () => {
  const chat = { kind: "group" as const, id: "G1" };
  const image = { kind: "image" as const, mime_type: null, filename: "a.jpg", size: 1, path: "/a" };
  build(
    {},
    {
      prepare: async (channel, entry) => ({
        ...(await prepared(channel, entry)),
        attachments: [image],
      }),
    },
  );
  const said = message({ chat, text: "one" });
  await deliver(said);
  await receive({ kind: "edit", targetId: said.id, text: "one\nBob: two", sender: said.sender });
  await deliver(message({ chat, text: "three" }));
  expect(trial.requests[1]?.history[0]).toEqual({
    role: "user",
    text: "Ada: [image a.jpg] one\n  Bob: two",
  });
});

describe("during a turn", () => {
  /** Ends the turn that is held open. */
  let end: () => void;
  beforeEach(() => {
    const held = Promise.withResolvers<void>();
    end = held.resolve;
    trial.answers = [(request) => held.promise.then(() => echo(request)), echo];
  });

  test("an edit is remembered in place of what the turn read, whose answer stands", async () => {
    const chat = { kind: "group" as const, id: "G1" };
    const [edited, other] = [message({ chat, text: "one" }), message({ chat, text: "two" })];
    await deliver(edited);
    await receive({ kind: "edit", targetId: edited.id, text: "one!", sender: edited.sender });
    end();
    await deliver(other);
    expect(replies()).toEqual(["one"]);
    expect(trial.requests.at(-1)?.history).toEqual([
      { role: "user", text: "Ada: one!" },
      { role: "assistant", text: "one" },
    ]);
  });

  test("what is taken back is neither answered nor remembered", async () => {
    const regretted = from("+15550001111", "regretted");
    await deliver(regretted);
    await receive({ kind: "revoke", targetId: regretted.id, sender: regretted.sender });
    end();
    await deliver(from("+15550001111", "two"));
    expect(replies()).toEqual(["two"]);
    expect(trial.requests.at(-1)?.history).toEqual([]);
  });

  test("what is taken back is not spoken of either, and counts as overtaken", async () => {
    const speak = mock(async () => null);
    build({}, { speak });
    const regretted = from("+15550001111", "regretted");
    await deliver(regretted);
    await receive({ kind: "revoke", targetId: regretted.id, sender: regretted.sender });
    end();
    await settle();
    expect(trial.store.counts().pendingMessages).toBe(0);
    expect(speak).not.toHaveBeenCalled();
    expect(trial.handedOn).toEqual([]);
    const { values } = await trial.metrics.turns.get();
    expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
      ["failed", 0],
      ["overtaken", 1],
    ]);
  });
});

test("where no voice note is made, nothing follows the answer", async () => {
  const speak = mock(async () => null);
  build({}, { speak });
  const add = spyOn(trial.store, "enqueue");
  await deliver(from("+15550001111", "hello"));
  expect(speak).toHaveBeenCalledTimes(1);
  expect(add).not.toHaveBeenCalled();
  expect(replies()).toEqual(["hello"]);
});

test.each([
  ["for the same number goes out", "+15550000001", "pending", null],
  ["is given up where another is linked meanwhile", "+15550000002", "failed", "account_changed"],
])("a voice note that is being made %s", async (_, number, state, code) => {
  const note: DeliveryContent = {
    kind: "media",
    media: "voice",
    path: "/media/reply.ogg",
    mimeType: "audio/ogg",
    filename: null,
    caption: null,
    durationSecs: 1,
  };
  const made = Promise.withResolvers<DeliveryContent>();
  build({}, { speak: () => made.promise });
  const speaksAs = (as: string) => receive({ kind: "account", number: as });
  const add = spyOn(trial.store, "enqueue");
  await speaksAs("+15550000001");
  await deliver(from("+15550001111", "hello"));
  await speaksAs(number);
  made.resolve(note);
  await settle();
  const [{ id = "" } = {}] = add.mock.calls[0]?.[1] ?? [];
  expect(trial.store.delivery(id)).toMatchObject({ content: note, state, code });
});
