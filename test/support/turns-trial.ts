import { afterEach, beforeEach } from "bun:test";
import { join } from "node:path";
import { AgentError, type AgentReply, type TurnRequest } from "../../src/agent/agent.ts";
import type { InboundEvent, Message } from "../../src/channels/message.ts";
import { replyComposer } from "../../src/conversation/compose.ts";
import { Inbox } from "../../src/conversation/inbox.ts";
import type { Turns } from "../../src/conversation/turns.ts";
import type { TurnWork } from "../../src/conversation/turn.ts";
import type { ChatId, ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "./channel.ts";
import { fakeClock, type FakeClock } from "./clock.ts";
import { settle } from "./settle.ts";
import { cloud, message, nobody, storeAt, temporaryFolder } from "./store.ts";
import { turnsOver } from "./turns.ts";

type Answer = (request: TurnRequest, signal: AbortSignal) => Promise<AgentReply>;

/** An inbox and turns over a real store, with an agent that answers as it is told; all of it new for each test. */
export interface TurnsTrial {
  clock: FakeClock;
  store: ConversationStore;
  channel: FakeChannel;
  alarms: Alarms;
  metrics: Metrics;
  turns: Turns;
  inbox: Inbox;
  /** What the agent was asked. */
  requests: TurnRequest[];
  /** Chats that have something to be sent, each time it is said. */
  handedOn: ChatId[];
  /** What the agent does with the n-th call; the last one stands for all that follow. */
  answers: Answer[];
}

/** To be called once, where a file's tests begin. */
export function turnsTrial() {
  const trial = {} as TurnsTrial;
  let folder: ReturnType<typeof temporaryFolder>;

  const run: Answer = (request, signal) => {
    trial.requests.push(request);
    const next = trial.answers.length > 1 ? trial.answers.shift() : trial.answers[0];
    return (next ?? echo)(request, signal);
  };

  /** Turns and inbox of another run over the same store. */
  const build = (
    changes: { debounceMs?: number; maxConcurrent?: number } = {},
    work: Partial<TurnWork> = {},
  ) => {
    trial.alarms = new Alarms(trial.clock, silentLog);
    trial.metrics = createMetrics();
    const { store, clock, metrics, alarms } = trial;
    trial.turns = turnsOver(
      store,
      () => trial.channel,
      clock,
      run,
      {
        metrics,
        alarms,
        finish: async (turn) => {
          const ended = await store.finishTurn(turn);
          if (ended && turn.deliveries.length > 0) trial.handedOn.push(ended.chat);
          return ended && ended.chat;
        },
        onDeliveries: (chat) => trial.handedOn.push(chat),
        ...changes,
      },
      {
        compose: replyComposer({ mediaFolder: folder.path, mediaDir: null, keep: async () => {} }),
        ...work,
      },
    );
    trial.inbox = new Inbox({
      store,
      limits: { maxPendingMessages: 100, maxPendingBytes: 1_000_000, maxPendingPerChat: 50 },
      clock,
      log: silentLog,
      metrics,
      alarms,
      onMessages: (chat) => trial.turns.wake(chat),
      pauseAfter: () => null,
      onMoved: () => {},
    });
  };

  const pass = async (ms: number): Promise<void> => {
    await trial.clock.advance(ms);
    await settle();
  };

  beforeEach(() => {
    trial.clock = fakeClock();
    folder = temporaryFolder();
    trial.store = storeAt(join(folder.path, "revka.db"), trial.clock);
    trial.channel = fakeChannel();
    trial.requests = [];
    trial.handedOn = [];
    trial.answers = [echo];
    build();
  });
  afterEach(async () => {
    const drained = trial.turns.drain(0);
    await pass(2_000);
    await drained;
    trial.store.close();
    folder.remove();
  });

  const receive = (...events: InboundEvent[]) =>
    trial.inbox.receiver(cloud, (each) => ({ admitted: true, message: each }))(events);

  return {
    trial,
    build,
    pass,
    receive,
    async deliver(...messages: Message[]): Promise<void> {
      await receive(...messages.map((each): InboundEvent => ({ kind: "message", message: each })));
      await settle();
    },
    /** Texts queued for sending, chat by chat in the order of their first delivery. */
    replies: () =>
      trial.store.chatsWithOpenDeliveries().map((chat) => {
        const delivery = trial.store.openDelivery(chat);
        return delivery?.content.kind === "text" ? delivery.content.text : null;
      }),
  };
}

/** What Ada writes from this number. */
export const from = (phone: string, text: string): Message =>
  message({ sender: { ...nobody, phone, name: "Ada" }, text });

export const says = (text: string) => async (): Promise<AgentReply> => ({
  parts: [{ kind: "text", text }],
});
/** Says the words that it is asked with. */
export const echo = async (request: TurnRequest): Promise<AgentReply> => ({
  parts: [{ kind: "text", text: request.messages.map((each) => each.text).join("\n") }],
});
export const breaks = async (): Promise<AgentReply> => {
  throw new AgentError("it broke", true);
};
/** Ends when it is cut off, and not before. */
export const never = (_: TurnRequest, signal: AbortSignal): Promise<AgentReply> =>
  new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
