import { afterEach, beforeEach } from "bun:test";
import { join } from "node:path";
import type { SendFailure, SendResult } from "../../src/channels/message.ts";
import type { Outbox } from "../../src/conversation/outbox.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "./channel.ts";
import { fakeClock, type FakeClock } from "./clock.ts";
import { outboxOver } from "./outbox.ts";
import { settle } from "./settle.ts";
import { cloud, recipientAt, storeAt, temporaryFolder } from "./store.ts";

/** An outbox over a real store and a channel that answers as it is told; all of it new for each test. */
export interface OutboxTrial {
  clock: FakeClock;
  store: ConversationStore;
  channel: FakeChannel;
  alarms: Alarms;
  metrics: Metrics;
  outbox: Outbox;
}

/** To be called once, where a file's tests begin. `seen` is the clock as store and outbox read it. */
export function outboxTrial(seen: (clock: FakeClock) => Clock = (clock) => clock) {
  const trial = {} as OutboxTrial;
  let folder: ReturnType<typeof temporaryFolder>;

  /** The outbox of another run over the same store. */
  const open = () => {
    trial.alarms = new Alarms(trial.clock, silentLog);
    trial.metrics = createMetrics();
    const { store, alarms, metrics } = trial;
    const clock = seen(trial.clock);
    trial.outbox = outboxOver(store, () => trial.channel, clock, alarms, metrics);
  };

  beforeEach(() => {
    trial.clock = fakeClock();
    folder = temporaryFolder();
    trial.store = storeAt(join(folder.path, "revka.db"), seen(trial.clock));
    trial.channel = fakeChannel();
    open();
  });
  afterEach(async () => {
    await trial.outbox.drain(0);
    trial.store.close();
    folder.remove();
  });

  return {
    trial,
    open,
    async pass(ms: number): Promise<void> {
      await trial.clock.advance(ms);
      await settle();
    },
    /** Deliveries with these ids, to one person. */
    async queue(phone: string, ...ids: string[]): Promise<ChatId> {
      const chat = await trial.store.openChat(cloud, recipientAt(phone));
      await trial.store.enqueue(
        chat,
        ids.map((id) => ({ id, content: { kind: "text", text: id, quote: null } })),
      );
      return chat;
    },
    sentIds: () => trial.channel.sent.map((delivery) => delivery.id),
    states: (...ids: string[]) => ids.map((id) => trial.store.delivery(id)?.state),
  };
}

export function fails(retry: SendFailure["retry"], afterMs: number | null = null): SendResult {
  return { ok: false, failure: { retry, afterMs, code: "code", hint: "hint" } };
}
