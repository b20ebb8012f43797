import { afterEach, beforeEach, describe, expect, mock, spyOn, test } from "bun:test";
import { join } from "node:path";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import type { Outbox } from "../../src/conversation/outbox.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { outboxOver } from "../support/outbox.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, recipientAt, storeAt, temporaryFolder } from "../support/store.ts";

let clock: FakeClock;
let folder: ReturnType<typeof temporaryFolder>;
let store: ConversationStore;
let channel: FakeChannel;
let alarms: Alarms;
let metrics: Metrics;
let outbox: Outbox;

const open = () => {
  alarms = new Alarms(clock, silentLog);
  metrics = createMetrics();
  outbox = outboxOver(store, () => channel, clock, alarms, metrics);
};

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  open();
});
afterEach(async () => {
  await outbox.drain(0);
  store.close();
  folder.remove();
});

const pass = async (ms: number) => {
  await clock.advance(ms);
  await settle();
};
const queue = async (phone: string, ...ids: string[]): Promise<ChatId> => {
  const chat = await store.openChat(cloud, recipientAt(phone));
  await store.enqueue(
    chat,
    ids.map((id) => ({ id, content: { kind: "text", text: id, quote: null } })),
  );
  return chat;
};
const fails = (retry: SendFailure["retry"], afterMs: number | null = null): SendResult => ({
  ok: false,
  failure: { retry, afterMs, code: "code", hint: "hint" },
});
const sentIds = () => channel.sent.map((delivery) => delivery.id);
const states = (...ids: string[]) => ids.map((id) => store.delivery(id)?.state);

test("a chat's deliveries go one after another, in order", async () => {
  const gate = Promise.withResolvers<SendResult>();
  channel.answers = [gate.promise];
  outbox.wake(await queue("+15550001111", "a", "b", "c"));
  await settle();
  expect(sentIds()).toEqual(["a"]);
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds()).toEqual(["a", "b", "c"]);
  expect(states("a", "b", "c")).toEqual(["sent", "sent", "sent"]);
});

test("a delivery is marked before the platform hears of it", async () => {
  const seen: (string | undefined)[] = [];
  channel.onSend = (delivery) => seen.push(store.delivery(delivery.id)?.state);
  outbox.wake(await queue("+15550001111", "a"));
  await settle();
  expect(seen).toEqual(["sending"]);
});

test("a chat that waits does not hold up another", async () => {
  channel.answers = [fails("backoff")];
  outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  outbox.wake(await queue("+15550002222", "z"));
  await settle();
  expect(sentIds()).toEqual(["a", "z"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "z", "a", "b"]);
});

test("one that fails for good is kept with its hint, and the next goes on", async () => {
  channel.answers = [fails("no")];
  outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  expect(states("a", "b")).toEqual(["failed", "sent"]);
  expect(store.delivery("a")).toMatchObject({ code: "code", hint: "hint" });
});

test("one of which a status said that it failed before its answer came counts as failed alone", async () => {
  const answer = Promise.withResolvers<SendResult>();
  channel.answers = [answer.promise];
  outbox.wake(await queue("+15550001111", "a", "b"));
  await settle();
  const failure: SendFailure = { retry: "no", afterMs: null, code: "131026", hint: "hint" };
  const status = { platformId: "w", deliveryId: null, timestamp: 1, failure };
  await store.accept(
    cloud,
    [{ kind: "status", status: { ...status, state: "failed" } }],
    everybody,
  );
  answer.resolve({ ok: true, platformId: "w" });
  await settle();
  expect(states("a", "b")).toEqual(["failed", "sent"]);
  expect(outbox.lastFailure(cloud)?.code).toBe("131026");
  const { values } = metrics.deliveries.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([
    ["failed", 1],
    ["sent", 1],
  ]);
});

test("woken again and again, it sends once", async () => {
  const chat = await queue("+15550001111", "a");
  for (let i = 0; i < 5; i++) outbox.wake(chat);
  await settle();
  outbox.wake(chat);
  await settle();
  expect(sentIds()).toEqual(["a"]);
});

test("woken in the very moment it has run dry, it looks again", async () => {
  const chat = await queue("+15550001111", "a");
  const read = spyOn(store, "openDelivery").mockReturnValueOnce(null);
  outbox.wake(chat);
  outbox.wake(chat);
  await settle();
  read.mockRestore();
  expect(sentIds()).toEqual(["a"]);
});

test("woken while it waits for its next try, it waits on, with one timer", async () => {
  channel.answers = [fails("backoff")];
  const chat = await queue("+15550001111", "a");
  outbox.wake(chat);
  await settle();
  const timers = clock.pending;
  for (let i = 0; i < 5; i++) outbox.wake(chat);
  await settle();
  expect(clock.pending).toBe(timers);
  expect(sentIds()).toEqual(["a"]);
  await pass(2_000);
  expect(sentIds()).toEqual(["a", "a"]);
});

describe("an answer that was lost", () => {
  test("waits for its status before it is sent again", async () => {
    channel.answers = [fails("ambiguous")];
    outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(59_000);
    expect(sentIds()).toEqual(["a"]);
    await pass(2_000);
    expect(sentIds()).toEqual(["a", "a", "b"]);
  });

  test("is settled by its status, and never sent again", async () => {
    channel.answers = [fails("ambiguous")];
    const chat = await queue("+15550001111", "a", "b");
    outbox.wake(chat);
    await settle();
    await store.accept(
      cloud,
      [
        {
          kind: "status",
          status: {
            platformId: "wamid.a",
            deliveryId: "a",
            state: "sent",
            timestamp: 1,
            failure: null,
          },
        },
      ],
      {
        admit: (message) => ({ admitted: true, message }),
        maxPendingMessages: 1,
        maxPendingBytes: 1,
        maxPendingPerChat: 1,
      },
    );
    outbox.wake(chat);
    await settle();
    await pass(600_000);
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("is not sent again where its status came in with the mark of the next try", async () => {
    channel.answers = [fails("ambiguous")];
    const chat = await queue("+15550001111", "a", "b");
    outbox.wake(chat);
    await settle();
    const status = {
      platformId: "wamid.a",
      deliveryId: "a",
      state: "delivered" as const,
      timestamp: 1,
      failure: null,
    };
    const taken = store.accept(cloud, [{ kind: "status", status }], everybody);
    await pass(61_000);
    await taken;
    expect(sentIds()).toEqual(["a", "b"]);
    expect(store.delivery("a")).toMatchObject({ state: "sent", platformId: "wamid.a" });
  });

  test("after a kill it waits the whole grace from the new start", async () => {
    const chat = await queue("+15550001111", "a");
    await store.markSending("a");
    await clock.advance(300_000);
    open();
    outbox.start();
    await settle();
    expect(sentIds()).toEqual([]);
    await pass(61_000);
    expect(sentIds()).toEqual(["a"]);
    expect(store.openDelivery(chat)).toBeNull();
  });

  test("is sent again at once where receivers drop the repeat", async () => {
    channel = fakeChannel({ repeat: "same-id" });
    await queue("+15550001111", "a");
    await store.markSending("a");
    outbox.start();
    await settle();
    expect(sentIds()).toEqual(["a"]);
  });
});

describe("an account that may not send", () => {
  test("holds its deliveries, raises an alarm, and goes on when a probe succeeds", async () => {
    channel.answers = [fails("hold")];
    channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    outbox.wake(await queue("+15550002222", "z"));
    await settle();
    expect(sentIds()).toEqual(["a"]);
    expect(states("a", "b", "z")).toEqual(["pending", "pending", "pending"]);
    expect(outbox.heldBy(cloud)?.code).toBe("code");
    expect(alarms.list().map((alarm) => alarm.source)).toEqual(["whatsapp.cloud"]);
    await pass(60_000);
    expect(sentIds()).toEqual(["a"]);
    channel.probing = null;
    await pass(300_000);
    await settle();
    expect(outbox.heldBy(cloud)).toBeNull();
    expect(alarms.list()).toEqual([]);
    expect(sentIds().toSorted()).toEqual(["a", "a", "b", "z"]);
  });
});

describe("a platform that is not reached", () => {
  const lost = {
    ok: false as const,
    failure: {
      retry: "backoff" as const,
      afterMs: null,
      code: "ENOTFOUND",
      hint: "DNS",
      unreached: true as const,
    },
  };

  test("is said from the second try on, until it answers", async () => {
    channel.answers = [lost, lost, lost];
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    expect(outbox.unreached(cloud)).toBeNull();
    await pass(3_000);
    expect(outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
    expect(outbox.unreached({ ...cloud, account: "another" })).toBeNull();
    await pass(6_000);
    await pass(20_000);
    expect(states("a")).toEqual(["sent"]);
    expect(outbox.unreached(cloud)).toBeNull();
  });

  test("hours ago says nothing of the first try that fails now", async () => {
    const unanswered: SendResult = { ok: false, failure: { ...lost.failure, retry: "ambiguous" } };
    channel.answers = [unanswered, unanswered, unanswered, lost, lost];
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (let minute = 0; minute < 3; minute++) await pass(61_000);
    expect(states("a")).toEqual(["failed"]);
    expect(outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
    await pass(3 * 3_600_000);
    outbox.wake(await queue("+15550001111", "b"));
    await settle();
    expect(outbox.unreached(cloud)).toBeNull();
    await pass(3_000);
    expect(outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
  });

  test("is no more said once it refuses a message for its own sake", async () => {
    channel.answers = [lost, lost, fails("no")];
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(3_000);
    expect(outbox.unreached(cloud)).not.toBeNull();
    await pass(20_000);
    expect(outbox.unreached(cloud)).toBeNull();
  });

  test("is forgotten where nobody tries any more", async () => {
    channel.answers = Array.from({ length: 25 }, () => lost);
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    for (let minute = 0; minute < 150 && states("a")[0] !== "failed"; minute++) {
      await pass(60_000);
      if (minute > 0 && states("a")[0] !== "failed") {
        expect(outbox.unreached(cloud)?.code).toBe("ENOTFOUND");
      }
    }
    expect(states("a")).toEqual(["failed"]);
    await pass(8 * 60_000);
    expect(outbox.unreached(cloud)).toBeNull();
  });
});

describe("an account whose probe is not understood", () => {
  const undecided: SendFailure = { retry: "no", afterMs: null, code: "100", hint: "no such thing" };

  test("sends one delivery instead, and all once that goes", async () => {
    channel.answers = [fails("hold"), fails("hold")];
    channel.probing = undecided;
    outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    outbox.wake(await queue("+15550002222", "z"));
    await pass(3_000);
    expect(sentIds()).toEqual(["a", "a"]);
    expect(outbox.heldBy(cloud)?.code).toBe("code");
    await pass(10_000);
    expect(outbox.heldBy(cloud)).toBeNull();
    expect(sentIds().toSorted()).toEqual(["a", "a", "a", "b", "z"]);
  });

  test("goes on, too, once a delivery is refused for its own sake", async () => {
    const closed: SendFailure = { retry: "no", afterMs: null, code: "131047", hint: "window" };
    channel.answers = [fails("hold"), { ok: false, failure: closed }];
    channel.probing = undecided;
    outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    await pass(3_000);
    expect(states("a", "b")).toEqual(["failed", "sent"]);
  });

  test("a refusal that lasts is put to the test now and then", async () => {
    channel.answers = [fails("hold")];
    channel.probing = { ...undecided, retry: "hold" };
    outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 30; step++) await pass(10_000);
    expect(sentIds()).toEqual(["a"]);
    for (let step = 0; step < 60; step++) await pass(10_000);
    expect(states("a")).toEqual(["sent"]);
  });
});

test("a delivery whose account was refused has used up no try", async () => {
  channel.answers = Array.from({ length: 40 }, () => fails("hold"));
  outbox.wake(await queue("+15550001111", "a"));
  for (let step = 0; step < 200 && channel.answers.length > 0; step++) await pass(360_000);
  channel.answers = [fails("backoff")];
  for (let step = 0; step < 3; step++) await pass(360_000);
  expect(states("a")).toEqual(["sent"]);
});

test("a probe without an answer is given up, and the next one asks again", async () => {
  channel.answers = [fails("hold")];
  const probes: AbortSignal[] = [];
  channel.probe = (signal) => {
    probes.push(signal);
    if (probes.length > 1) return Promise.resolve(null);
    return new Promise((_, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason), { once: true }),
    );
  };
  outbox.wake(await queue("+15550001111", "a"));
  await settle();
  for (let step = 0; step < 10; step++) await pass(5_000);
  expect(probes.length).toBe(2);
  expect(states("a")).toEqual(["sent"]);
});

test("no more than 64 requests are under way at once", async () => {
  const gate = Promise.withResolvers<SendResult>();
  channel.answers = Array.from({ length: 70 }, () => gate.promise);
  for (let i = 0; i < 70; i++) outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
  await settle();
  expect(sentIds().length).toBe(64);
  gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds().length).toBe(70);
});

describe("an account that may be asked but not send", () => {
  test("is tried less and less often, though every probe succeeds", async () => {
    channel.answers = Array.from({ length: 1000 }, () => fails("hold"));
    outbox.wake(await queue("+15550001111", "a"));
    for (let step = 0; step < 90; step++) await pass(10_000);
    expect(sentIds().length).toBeLessThan(12);
    channel.answers = [];
    await pass(600_000);
    expect(states("a")).toEqual(["sent"]);
  });

  test("says why it stands still now, not why it stood still first", async () => {
    channel.answers = [fails("hold")];
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "token" };
    await pass(3_000);
    expect(alarms.list().map(({ code, hint }) => [code, hint])).toEqual([["190", "token"]]);
    channel.probing = { retry: "hold", afterMs: null, code: "190", hint: "another token" };
    await pass(300_000);
    expect(alarms.list().map(({ hint }) => hint)).toEqual(["another token"]);
  });
});

test("a store that cannot be read holds a chat up, and ends nothing", async () => {
  const unreadable = spyOn(store, "openDelivery").mockImplementation(() => {
    throw new Error("disk I/O error");
  });
  outbox.wake(await queue("+15550001111", "a"));
  await settle();
  expect(alarms.get("store")?.hint).toContain("disk I/O error");
  unreadable.mockRestore();
  await pass(2_000);
  expect(sentIds()).toEqual(["a"]);
});

test("under a pace, a recipient's burst goes out and the rest follows in time", async () => {
  channel = fakeChannel({
    pace: { perSecond: 80, recipientIntervalMs: 6_000, recipientBurst: 2 },
  });
  outbox.wake(await queue("+15550001111", "a", "b", "c", "d"));
  await settle();
  expect(sentIds()).toEqual(["a", "b"]);
  await pass(6_001);
  expect(sentIds()).toEqual(["a", "b", "c"]);
});

test("chats that wait for their account cost nothing while they wait, and go first come first served", async () => {
  channel = fakeChannel({
    pace: { perSecond: 10, recipientIntervalMs: 6_000, recipientBurst: 45 },
  });
  const look = spyOn(store, "openDelivery");
  const chats = 100;
  for (let i = 0; i < chats; i++) outbox.wake(await queue(`+1555000${1000 + i}`, `d${i}`));
  await settle();
  const before = look.mock.calls.length;
  for (let second = 0; second < 20 && sentIds().length < chats; second++) await pass(1_000);
  expect(sentIds()).toEqual(Array.from({ length: chats }, (_, i) => `d${i}`));
  // One look before each message and one after it.
  expect(look.mock.calls.length - before).toBeLessThan(3 * chats);
});

test("a place goes on to the next chat when the one whose turn it is has nothing to send", async () => {
  const gates = Array.from({ length: 64 }, () => Promise.withResolvers<SendResult>());
  channel.answers = gates.map((gate) => gate.promise);
  for (let i = 0; i < 64; i++) outbox.wake(await queue(`+1555000${1000 + i}`, `busy${i}`));
  await settle();
  const idle: ChatId[] = [];
  for (let i = 0; i < 3; i++) {
    const chat = await queue(`+1555000${2000 + i}`, `gone${i}`);
    outbox.wake(chat);
    idle.push(chat);
  }
  outbox.wake(await queue("+15550003000", "last"));
  await settle();
  for (let i = 0; i < 3; i++) {
    await store.markSending(`gone${i}`);
    await store.markSent(`gone${i}`, null);
  }
  gates[0]?.resolve({ ok: true, platformId: "wamid" });
  await settle();
  expect(sentIds().at(-1)).toBe("last");
  for (const gate of gates) gate.resolve({ ok: true, platformId: "wamid" });
  await settle();
});

describe("a stop", () => {
  test("lets the request in flight end and starts no other", async () => {
    const gate = Promise.withResolvers<SendResult>();
    channel.answers = [gate.promise];
    outbox.wake(await queue("+15550001111", "a", "b"));
    await settle();
    const stopped = mock(() => {});
    const drained = outbox.drain(2_000).then(stopped);
    await pass(1_900);
    expect(stopped).not.toHaveBeenCalled();
    gate.resolve({ ok: true, platformId: "wamid" });
    await drained;
    await settle();
    expect(sentIds()).toEqual(["a"]);
    expect(states("a", "b")).toEqual(["sent", "pending"]);
    expect(clock.pending).toBe(0);
  });

  test("cuts off one that outlasts the grace, which stays in doubt", async () => {
    let cut = false;
    channel.send = (_, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          cut = true;
          reject(signal.reason);
        }),
      );
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    const drained = outbox.drain(2_000);
    await pass(1_900);
    expect(cut).toBe(false);
    await pass(200);
    await drained;
    expect(cut).toBe(true);
    expect(states("a")).toEqual(["sending"]);
  });

  test("ends what waits for its next try, and takes up nothing more", async () => {
    channel.answers = [fails("backoff")];
    const chat = await queue("+15550001111", "a");
    outbox.wake(chat);
    await settle();
    await outbox.drain(2_000);
    expect(clock.pending).toBe(0);
    outbox.wake(chat);
    await pass(600_000);
    expect(sentIds()).toEqual(["a"]);
  });
});

describe("a channel that is not ready", () => {
  test("gets nothing and raises no alarm; what waited goes out at once when it is", async () => {
    let ready = false;
    channel = fakeChannel({
      status: () => ({
        state: ready ? "ready" : "connecting",
        reason: ready ? null : "no connection",
        linkedAs: null,
      }),
    });
    outbox.wake(await queue("+15550001111", "a", "b"));
    await pass(3_600_000);
    expect(sentIds()).toEqual([]);
    expect(alarms.list()).toEqual([]);
    outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual([]);
    ready = true;
    outbox.channelChanged(cloud);
    await settle();
    expect(sentIds()).toEqual(["a", "b"]);
  });

  test("and then is, ends a hold without waiting for the next probe", async () => {
    channel.answers = [fails("hold")];
    channel.probing = { retry: "hold", afterMs: null, code: "offline", hint: "no connection" };
    outbox.wake(await queue("+15550001111", "a"));
    await settle();
    await pass(60_000);
    channel.probing = null;
    outbox.channelChanged(cloud);
    await settle();
    expect(outbox.heldBy(cloud)).toBeNull();
    expect(sentIds()).toEqual(["a", "a"]);
  });
});

test.each([
  ["after its answer was lost", false],
  ["before its answer came", true],
])("a delivery that a status settles %s is counted once", async (_, answered) => {
  const answer = Promise.withResolvers<SendResult>();
  channel.answers = [answer.promise];
  const chat = await queue("+15550001111", "a");
  outbox.wake(chat);
  await settle();
  const { moved } = await store.accept(
    cloud,
    [
      {
        kind: "status",
        status: {
          platformId: "wamid.a",
          deliveryId: "a",
          state: "sent",
          timestamp: 1,
          failure: null,
        },
      },
    ],
    everybody,
  );
  for (const { chat: of, delivery } of moved) outbox.confirmedLater(of, delivery);
  answer.resolve(answered ? { ok: true, platformId: "wamid.a" } : fails("ambiguous"));
  await settle();
  await pass(600_000);
  expect(sentIds()).toEqual(["a"]);
  const { values } = metrics.deliveries.get();
  expect(values.map(({ labels, value }) => [labels.outcome, value])).toEqual([["sent", 1]]);
});
