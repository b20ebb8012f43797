import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { join } from "node:path";
import {
  AgentError,
  type Agent,
  type AgentReply,
  type TurnRequest,
} from "../../src/agent/agent.ts";
import { NotAccepted } from "../../src/channels/channel.ts";
import type { DeliveryContent, InboundEvent, Message } from "../../src/channels/message.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import type { Turns } from "../../src/conversation/turns.ts";
import type { TurnWork } from "../../src/conversation/turn.ts";
import { StoreError, type ChatId, type ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { prepared } from "../support/prepared.ts";
import { settle } from "../support/settle.ts";
import { cloud, message, nobody, recipientAt, storeAt, temporaryFolder } from "../support/store.ts";
import { turnsOver } from "../support/turns.ts";

let clock: FakeClock;
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let channel: FakeChannel;
let alarms: Alarms;
let metrics: Metrics;
let turns: Turns;
let inbox: Inbox;
let requests: TurnRequest[];
/** Chats that have something to be sent, each time it is said. */
let handedOn: ChatId[];
/** What the agent does with the n-th call; the last one stands for all that follow. */
let answers: ((request: TurnRequest, signal: AbortSignal) => Promise<AgentReply>)[];

const says = (text: string) => async (): Promise<AgentReply> => ({
  parts: [{ kind: "text", text }],
});
const echo = async (request: TurnRequest): Promise<AgentReply> => ({
  parts: [{ kind: "text", text: request.messages.map((each) => each.text).join("\n") }],
});
const breaks = async (): Promise<AgentReply> => {
  throw new AgentError("it broke", true);
};
const never = (_: TurnRequest, signal: AbortSignal) =>
  new Promise<AgentReply>((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason)),
  );

const run: Agent["run"] = (request, signal) => {
  requests.push(request);
  const next = answers.length > 1 ? answers.shift() : answers[0];
  return (next ?? echo)(request, signal);
};

const build = (
  changes: { debounceMs?: number; maxConcurrent?: number } = {},
  work: Partial<TurnWork> = {},
) => {
  alarms = new Alarms(clock, silentLog);
  metrics = createMetrics();
  turns = turnsOver(
    store,
    () => channel,
    clock,
    run,
    { metrics, alarms, onDeliveries: (chat) => handedOn.push(chat), ...changes },
    {
      compose: replyComposer({ mediaFolder: folder.path, mediaDir: null, keep: async () => {} }),
      ...work,
    },
  );
  inbox = new Inbox({
    store,
    limits: { maxPendingMessages: 100, maxPendingBytes: 1_000_000, maxPendingPerChat: 50 },
    clock,
    log: silentLog,
    metrics,
    alarms,
    onMessages: (chat) => turns.wake(chat),
    pauseAfter: () => null,
    onMoved: () => {},
  });
};

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  requests = [];
  handedOn = [];
  answers = [echo];
  build();
});
afterEach(async () => {
  const drained = turns.drain(0);
  await pass(2_000);
  await drained;
  store.close();
  folder.remove();
});

const pass = async (ms: number) => {
  await clock.advance(ms);
  await settle();
};
const deliver = async (...messages: Message[]) => {
  const receive = inbox.receiver(cloud, (each) => ({ admitted: true, message: each }));
  await receive(messages.map((each): InboundEvent => ({ kind: "message", message: each })));
  await settle();
};
const from = (phone: string, text: string) =>
  message({ sender: { ...nobody, phone, name: "Ada" }, text });
/** Texts queued for sending, chat by chat in the order of their first delivery. */
const replies = () =>
  store.chatsWithOpenDeliveries().map((chat) => {
    const delivery = store.openDelivery(chat);
    return delivery?.content.kind === "text" ? delivery.content.text : null;
  });

test("a message is answered, and its turn and reply are in the history of the next", async () => {
  await deliver(from("+15550001111", "one"));
  expect(replies()).toEqual(["one"]);
  expect(store.counts().pendingMessages).toBe(0);
  answers = [says("reply")];
  await deliver(from("+15550001111", "two"));
  expect(requests[1]?.history).toEqual([
    { role: "user", text: "one" },
    { role: "assistant", text: "one" },
  ]);
  expect(channel.focused.map((entry) => entry.event)).toEqual([
    "started",
    "ended",
    "started",
    "ended",
  ]);
});

test("a chat has one turn at a time, in the order of its messages; chats run side by side", async () => {
  const gates = [Promise.withResolvers<AgentReply>(), Promise.withResolvers<AgentReply>()];
  answers = [() => gates[0]!.promise, () => gates[1]!.promise, echo];
  await deliver(from("+15550001111", "a1"), from("+15550001111", "a2"));
  await deliver(from("+15550002222", "b1"));
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1"]);
  gates[0]?.resolve({ parts: [] });
  await settle();
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1", "a2"]);
  gates[1]?.resolve({ parts: [] });
});

test("no more turns run than allowed, and a chat that floods goes to the back of the queue", async () => {
  build({ maxConcurrent: 1 });
  await deliver(
    from("+15550001111", "a1"),
    from("+15550001111", "a2"),
    from("+15550001111", "a3"),
    from("+15550002222", "b1"),
  );
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["a1", "b1", "a2", "a3"]);
});

test("a chat that is woken again and again while it waits for its place has one turn at a time", async () => {
  build({ maxConcurrent: 2 });
  const gates = new Map<string, () => void>();
  answers = [
    ({ messages }) =>
      new Promise((resolve) => gates.set(messages[0]?.text ?? "", () => resolve({ parts: [] }))),
  ];
  await deliver(from("+15550001111", "a"), from("+15550002222", "b"));
  for (const text of ["c1", "c2", "c3"]) await deliver(from("+15550003333", text));
  gates.get("a")?.();
  gates.get("b")?.();
  await settle();
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["a", "b", "c1"]);
  gates.get("c1")?.();
  await settle();
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["a", "b", "c1", "c2"]);
});

test("a burst becomes one turn once it is over", async () => {
  build({ debounceMs: 100 });
  await deliver(from("+15550001111", "one"));
  await pass(60);
  await deliver(from("+15550001111", "two"));
  await pass(90);
  expect(requests).toEqual([]);
  await pass(20);
  expect(requests.map((each) => each.messages.map((one) => one.text))).toEqual([["one", "two"]]);
});

describe("an agent that fails", () => {
  test("is tried again, and the customer sees only the answer", async () => {
    answers = [breaks, breaks, says("there")];
    await deliver(from("+15550001111", "hello"));
    await pass(1_000);
    await pass(2_000);
    expect(requests.length).toBe(3);
    expect(new Set(requests.map((each) => each.turn_id)).size).toBe(1);
    expect(replies()).toEqual(["there"]);
    expect(alarms.list()).toEqual([]);
  });

  test("until its time is up: then the failure reply, an alarm, and no error text", async () => {
    answers = [breaks];
    await deliver(from("+15550001111", "hello"));
    for (let i = 0; i < 31; i++) await pass(1_000);
    expect(replies()).toEqual(["Sorry."]);
    expect(alarms.list().map((alarm) => alarm.source)).toEqual(["agent"]);
    expect(store.history(1, 9)).toEqual([{ role: "user", text: "hello" }]);
  });

  test("by hanging is cut off when its time is up, and its chat goes on", async () => {
    answers = [never, echo];
    await deliver(from("+15550001111", "one"), from("+15550001111", "two"));
    await pass(30_000);
    await settle();
    expect(requests.map((each) => each.messages[0]?.text)).toEqual(["one", "two"]);
  });

  test("for a reason that cannot pass gets its failure reply at once", async () => {
    answers = [
      async () => {
        throw new AgentError("no such model", false);
      },
    ];
    await deliver(from("+15550001111", "hello"));
    expect(replies()).toEqual(["Sorry."]);
  });
});

test("half a letter, where an agent cut its answer short, is no text that a platform reads", async () => {
  answers = [says("good night \ud83c")];
  await deliver(from("+15550001111", "bye"));
  expect(replies()).toEqual(["good night \ufffd"]);
});

test("an agent that chooses silence ends the turn without a reply", async () => {
  answers = [async () => ({ parts: [] })];
  await deliver(from("+15550001111", "hello"));
  expect(replies()).toEqual([]);
  expect(store.counts().pendingMessages).toBe(0);
});

test("what a turn has to say is handed on, and how it ended is counted", async () => {
  answers = [says("hi"), async () => ({ parts: [] })];
  await deliver(from("+15550001111", "hello"));
  const [chat] = store.chatsWithOpenDeliveries();
  await deliver(from("+15550001111", "and?"));
  expect(handedOn).toEqual([chat ?? 0]);
  const { values } = await metrics.turns.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ["answered", 1],
    ["silent", 1],
  ]);
});

test("in a group the history says who spoke", async () => {
  const chat = { kind: "group" as const, id: "G1" };
  await deliver(message({ chat, text: "one" }));
  await deliver(message({ chat, text: "two" }));
  expect(requests[1]?.history[0]).toEqual({ role: "user", text: "Ada: one" });
});

describe("during a turn", () => {
  const receive = (...events: InboundEvent[]) =>
    inbox.receiver(cloud, (each) => ({ admitted: true, message: each }))(events);
  /** Ends the turn that is held open. */
  let end: () => void;
  beforeEach(() => {
    const held = Promise.withResolvers<void>();
    end = held.resolve;
    answers = [(request) => held.promise.then(() => echo(request)), echo];
  });

  test("an edit is remembered in place of what the turn read, whose answer stands", async () => {
    const chat = { kind: "group" as const, id: "G1" };
    const [edited, other] = [message({ chat, text: "one" }), message({ chat, text: "two" })];
    await deliver(edited);
    await receive({ kind: "edit", targetId: edited.id, text: "one!", sender: edited.sender });
    end();
    await deliver(other);
    expect(replies()).toEqual(["one"]);
    expect(requests.at(-1)?.history).toEqual([
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
    expect(requests.at(-1)?.history).toEqual([]);
  });
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
  const speaksAs = (as: string) =>
    inbox.receiver(cloud, (each) => ({ admitted: true, message: each }))([
      { kind: "account", number: as },
    ]);
  const add = spyOn(store, "enqueue");
  await speaksAs("+15550000001");
  await deliver(from("+15550001111", "hello"));
  await speaksAs(number);
  made.resolve(note);
  await settle();
  const [{ id = "" } = {}] = add.mock.calls[0]?.[1] ?? [];
  expect(store.delivery(id)).toMatchObject({ content: note, state, code });
});

test("a stop parks a turn that does not end, and the next start runs it anew", async () => {
  answers = [never];
  await deliver(from("+15550001111", "hello"));
  const drained = turns.drain(5_000);
  await pass(6_500);
  await drained;
  expect(store.counts().pendingMessages).toBe(1);
  expect(replies()).toEqual([]);
  answers = [echo];
  build();
  turns.start();
  await settle();
  expect(replies()).toEqual(["hello"]);
  expect(new Set(requests.map((each) => each.turn_id)).size).toBe(1);
});

test("a stop waits for the turn that runs, and begins no other", async () => {
  const answer = Promise.withResolvers<AgentReply>();
  answers = [() => answer.promise, echo];
  build({ maxConcurrent: 1 });
  await deliver(from("+15550001111", "hello"), from("+15550002222", "later"));
  const stopped = mock(() => {});
  const drained = turns.drain(5_000).then(stopped);
  await pass(4_900);
  expect(stopped).not.toHaveBeenCalled();
  answer.resolve({ parts: [{ kind: "text", text: "just in time" }] });
  await settle();
  expect(stopped).toHaveBeenCalled();
  await drained;
  expect(replies()).toEqual(["just in time"]);
  expect(requests.length).toBe(1);
  turns.wake(store.chatsWithPendingMessages()[0] ?? 0);
  await settle();
  expect(requests.length).toBe(1);
});

test("a turn that outlasts a stop is cut off after the grace", async () => {
  let cut = false;
  answers = [
    (_, signal) => {
      signal.addEventListener("abort", () => (cut = true));
      return new Promise(() => {});
    },
  ];
  await deliver(from("+15550001111", "hello"));
  const stopped = mock(() => {});
  void turns.drain(5_000).then(stopped);
  await pass(4_900);
  expect(cut).toBe(false);
  await pass(200);
  expect(cut).toBe(true);
  expect(stopped).toHaveBeenCalled();
});

test("a turn that is deaf even then is left behind a second later", async () => {
  const finish = spyOn(store, "finishTurn").mockReturnValue(new Promise(() => {}));
  await deliver(from("+15550001111", "hello"));
  const stopped = mock(() => {});
  void turns.drain(5_000).then(stopped);
  await pass(5_900);
  expect(stopped).not.toHaveBeenCalled();
  await pass(200);
  expect(stopped).toHaveBeenCalled();
  finish.mockRestore();
});

test("a stop with no turn under way waits for nothing", async () => {
  await turns.drain(5_000);
  expect(clock.pending).toBe(0);
});

test("a stopping inbox accepts nothing and says when to come again", async () => {
  inbox.stop();
  const refused = deliver(from("+15550001111", "hello"));
  expect(refused).rejects.toThrow(NotAccepted);
  await refused.catch(() => {});
  expect(store.counts().pendingMessages).toBe(0);
});

test("a paused chat keeps its messages until it is resumed", async () => {
  const chat = await store.openChat(cloud, recipientAt("+15550001111"));
  await store.setPaused(chat, true);
  await deliver(from("+15550001111", "hello"));
  expect(requests).toEqual([]);
  await store.setPaused(chat, false);
  turns.wake(chat);
  await settle();
  expect(replies()).toEqual(["hello"]);
});

test("a store that cannot be read holds a chat up, and ends nothing", async () => {
  build({ debounceMs: 100 });
  const read = spyOn(store, "pendingMessages").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  await deliver(message());
  await pass(300);
  expect(requests).toEqual([]);
  read.mockRestore();
  await pass(2_300);
  expect(requests).toHaveLength(1);
});

test("an answer that cannot be stored waits for the store: the agent is not asked again", async () => {
  const full = new StoreError("full", "the disk is full");
  const finish = spyOn(store, "finishTurn").mockRejectedValue(full);
  await deliver(from("+15550001111", "hello"));
  for (let i = 0; i < 5; i++) await pass(2_000);
  expect(alarms.get("store")?.code).toBe("full");
  finish.mockRestore();
  await pass(2_000);
  expect(requests.length).toBe(1);
  expect(replies()).toEqual(["hello"]);
  expect(alarms.list()).toEqual([]);
});

test("an answer whose files cannot be kept is kept later: the agent is not asked again", async () => {
  let full = true;
  build(
    {},
    {
      async compose(_channel, _request, _turn, parts) {
        if (full) throw new StoreError("full", "the disk is full");
        return parts.flatMap((part) => (part.kind === "text" ? [{ ...part, quote: null }] : []));
      },
    },
  );
  await deliver(from("+15550001111", "hello"));
  await pass(1_000);
  full = false;
  await pass(2_000);
  expect(requests.length).toBe(1);
  expect(replies()).toEqual(["hello"]);
});

test("an answer whose files are never read costs the turn, not the chat", async () => {
  build({}, { compose: () => new Promise(() => {}) });
  await deliver(from("+15550001111", "one"), from("+15550001111", "two"));
  await pass(30_000);
  expect(replies()).toEqual(["Sorry."]);
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["one", "two"]);
});

test("a stop between two tries of an agent begins no other, and waits for nothing", async () => {
  answers = [breaks];
  await deliver(from("+15550001111", "hello"));
  const drained = turns.drain(5_000);
  await settle();
  await drained;
  expect(requests.length).toBe(1);
  expect(store.counts().pendingMessages).toBe(1);
  expect(replies()).toEqual([]);
});

test("a stop does not wait for a store that takes nothing; the next start answers", async () => {
  const finish = spyOn(store, "finishTurn").mockRejectedValue(new StoreError("full", "full"));
  await deliver(from("+15550001111", "hello"));
  const drained = turns.drain(5_000);
  await settle();
  await drained;
  finish.mockRestore();
  build();
  turns.start();
  await settle();
  expect(replies()).toEqual(["hello"]);
});

test("a preparation that never ends costs the turn, not the chat", async () => {
  let stuck = true;
  build(
    {},
    { prepare: (channel, entry) => (stuck ? new Promise(() => {}) : prepared(channel, entry)) },
  );
  await deliver(from("+15550001111", "one"));
  await pass(30_000);
  expect(replies()).toEqual(["Sorry."]);
  expect(store.history(1, 9)).toEqual([{ role: "user", text: "one" }]);
  stuck = false;
  await deliver(from("+15550001111", "two"));
  expect(requests.map((each) => each.messages[0]?.text)).toEqual(["two"]);
});

test("a chat that is woken while its turn finds it paused is looked at again", async () => {
  const chat = await store.openChat(cloud, recipientAt("+15550001111"));
  await store.setPaused(chat, true);
  await deliver(from("+15550001111", "hello"));
  const paused = store.chat(chat);
  await store.setPaused(chat, false);
  const read = spyOn(store, "chat").mockReturnValueOnce(paused);
  turns.wake(chat);
  turns.wake(chat);
  await settle();
  read.mockRestore();
  expect(replies()).toEqual(["hello"]);
});

test("messages of one chat that come at once are all answered", async () => {
  for (let i = 0; i < 20; i++) {
    const one = deliver(from("+15550001111", `a${i}`));
    const two = deliver(from("+15550001111", `b${i}`));
    await Promise.all([one, two]);
  }
  await settle();
  expect(store.counts().pendingMessages).toBe(0);
  expect(requests.length).toBe(40);
});
