import { beforeEach, expect, spyOn, test } from "bun:test";
import { NotAccepted, type Deliver } from "../../src/channels/channel.ts";
import type { InboundEvent, Message } from "../../src/channels/message.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import { StoreError, type Verdict } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, message, nobody } from "../support/store.ts";

// What the inbox answers a platform, hands on, counts and says.

const trial = storeTrial();
let metrics: Metrics;
let alarms: Alarms;
let inbox: Inbox;
let woken: number[];
/** What stands in the log from level info on. */
let said: string[];

beforeEach(() => {
  const { store, clock } = trial;
  metrics = createMetrics();
  alarms = new Alarms(clock, silentLog);
  woken = [];
  said = [];
  const say = (fields: object, words?: string) => void said.push(JSON.stringify([words, fields]));
  inbox = new Inbox({
    store,
    limits: { maxPendingMessages: 2, maxPendingBytes: 1e9, maxPendingPerChat: 1e9 },
    clock,
    log: { ...silentLog, info: say, warn: say, error: say },
    metrics,
    alarms,
    pauseAfter: () => null,
    onMessages: (chat) => void woken.push(chat),
    onMoved: () => {},
  });
});

const admitted = (each: Message): Verdict => ({ admitted: true, message: each });
const refused = (): Verdict => ({ admitted: false, reason: "not_in_allowlist" });
const receiver = (admit: (each: Message) => Verdict = admitted): Deliver =>
  inbox.receiver(cloud, admit);
const inbound = (...messages: Message[]): InboundEvent[] =>
  messages.map((each) => ({ kind: "message", message: each }));
const values = async (
  metric: "messagesIn" | "refusals" | "duplicates" | "eventsIgnored",
): Promise<object[]> => {
  const { values: counted } = await metrics[metric].get();
  return counted.map(({ labels, value }) => ({ ...labels, value }));
};
/** How it was turned away. */
const turnedAway = (events: InboundEvent[], deliver = receiver()) =>
  deliver(events).then(
    () => null,
    (error: NotAccepted) => ({ reason: error.reason, after: error.retryAfterSecs }),
  );

test("what is on disk wakes its chats, each once", async () => {
  const other = { ...nobody, phone: "+15550002222" };
  await receiver()(inbound(message(), message()));
  expect(woken).toHaveLength(1);
  expect(await turnedAway(inbound(message({ sender: other })))).not.toBeNull();
  expect(woken).toHaveLength(1);
});

test("what fits is taken and begun with, though more came than fits", async () => {
  const events = inbound(message(), message(), message());
  expect(await turnedAway(events)).toEqual({ reason: "overloaded", after: 15 });
  expect(trial.store.counts().pendingMessages).toBe(2);
  expect(woken).toHaveLength(1);
});

test("a store in trouble is said so, and no longer once it takes messages again", async () => {
  const full = new StoreError("full", "the disk is full");
  const accept = spyOn(trial.store, "accept").mockRejectedValueOnce(full);
  const [event] = inbound(message());
  expect(await turnedAway(event ? [event] : [])).toEqual({ reason: "store", after: 30 });
  expect(alarms.get("store")).toMatchObject({
    code: "full",
    hint: "The store cannot be written: the disk is full",
  });
  await receiver()(event ? [event] : []);
  expect(alarms.list()).toEqual([]);
  expect(woken).toHaveLength(1);
  accept.mockRestore();
});

test("a fault inside is no answer that a platform is given", async () => {
  const accept = spyOn(trial.store, "accept").mockRejectedValueOnce(new TypeError("a fault"));
  await expect(receiver()(inbound(message()))).rejects.toThrow("a fault");
  expect(alarms.list()).toEqual([]);
  accept.mockRestore();
});

test("a stop turns everything away, for a short while", async () => {
  const ignored: InboundEvent[] = [{ kind: "ignored", reason: "echo" }];
  const deliver = receiver();
  inbox.stop();
  for (const events of [inbound(message()), ignored]) {
    expect(await turnedAway(events, deliver)).toEqual({ reason: "stopping", after: 5 });
  }
  expect(trial.store.counts().pendingMessages).toBe(0);
});

test("what is taken, known or refused is counted, a type that is not known yet as other", async () => {
  const known = message();
  await receiver()(inbound(known, message({ type: "hologram" })));
  await receiver()(inbound(known));
  await receiver(refused)(inbound(message()));
  expect(await values("messagesIn")).toEqual([
    { channel: "whatsapp", type: "text", value: 1 },
    { channel: "whatsapp", type: "other", value: 1 },
  ]);
  expect(await values("duplicates")).toEqual([{ channel: "whatsapp", value: 1 }]);
  expect(await values("refusals")).toEqual([
    { channel: "whatsapp", reason: "not_in_allowlist", value: 1 },
  ]);
});

test("what only changes what is known counts by its kind, and what is ignored by its reason", async () => {
  const accept = spyOn(trial.store, "accept");
  await receiver()([{ kind: "ignored", reason: "echo" }]);
  // Nothing to be stored: not even a store in trouble makes it come again.
  expect(accept).not.toHaveBeenCalled();
  const { sender } = message();
  await receiver()([
    { kind: "ignored", reason: "echo" },
    { kind: "edit", targetId: "wamid.0", text: "new", sender },
    ...inbound(message()),
  ]);
  expect(await values("eventsIgnored")).toEqual([
    { channel: "whatsapp", reason: "echo", value: 2 },
    { channel: "whatsapp", reason: "edit", value: 1 },
  ]);
  accept.mockRestore();
});

test("what another number leaves unanswered is told of once, and a full inbox each time", async () => {
  const warned = () =>
    said.filter((line) => /another number|full/.test(line)).map((line) => JSON.parse(line));
  const speaksAs = (number: string) => receiver()([{ kind: "account", number }]);
  await speaksAs("+15550000001");
  await receiver()(inbound(message()));
  expect(warned()).toEqual([]);
  await speaksAs("+15550000002");
  await speaksAs("+15550000002");
  expect(warned().map(([, fields]) => fields)).toEqual([
    { channel: "whatsapp", messages: 1, deliveries: 0 },
  ]);
  await turnedAway(inbound(message(), message(), message()));
  expect(warned().at(-1)?.[1]).toEqual({ channel: "whatsapp", messages: 1 });
});

test("the log has neither text, name, full id nor full number, of what is taken or refused", async () => {
  const id = "wamid.HBgLMTU1NTAwMDExMTEVAgASGBQzQTdCNUQ5MUI4";
  const people = [
    { ...nobody, phone: "+15550001111", name: "Ada" },
    { ...nobody, userId: "US.13491208655302741918", name: "Ada" },
    { ...nobody, lid: "900491700000001@lid", name: "Ada" },
  ];
  let number = 0;
  for (const admit of [refused, admitted]) {
    for (const sender of people) {
      const each = message({ id: id + number++, sender, text: "my secret" });
      await receiver(admit)(inbound(each)).catch(() => {});
    }
  }
  const lines = said.join("\n");
  expect(lines).toContain('"length":9');
  for (const marked of ['"…11"', '"user id"', '"lid"']) expect(lines).toContain(marked);
  for (const secret of ["my secret", "Ada", id, "5550001111", "13491208655302741918", "900491"]) {
    expect(lines).not.toContain(secret);
  }
});
