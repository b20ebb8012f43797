import { beforeEach, expect, test } from "bun:test";
import { NotAccepted, type Deliver } from "../../src/channels/channel.ts";
import type { InboundEvent } from "../../src/channels/message.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, message } from "../support/store.ts";

const trial = storeTrial();
let metrics: Metrics;
let maxPendingMessages: number;

beforeEach(() => {
  metrics = createMetrics();
});

function receiver(): Deliver {
  const { store, clock } = trial;
  const inbox = new Inbox({
    store,
    limits: { maxPendingMessages, maxPendingBytes: 1e9, maxPendingPerChat: 1e9 },
    clock,
    log: silentLog,
    metrics,
    alarms: new Alarms(clock, silentLog),
    pauseAfter: () => null,
    onMessages: () => {},
    onMoved: () => {},
  });
  return inbox.receiver(cloud, (each) => ({ admitted: true, message: each }));
}

test("what is ignored counts once, however often it comes with what does not fit", async () => {
  const events: InboundEvent[] = [
    { kind: "ignored", reason: "echo" },
    { kind: "message", message: message() },
  ];
  const ignored = () => metrics.eventsIgnored.get().values.map(({ value }) => value);
  maxPendingMessages = 0;
  for (let tries = 0; tries < 3; tries++) {
    await expect(receiver()(events)).rejects.toThrow(NotAccepted);
  }
  expect(ignored()).toEqual([]);
  maxPendingMessages = 1;
  await receiver()(events);
  expect(ignored()).toEqual([1]);
});
