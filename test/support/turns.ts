import type { Agent } from "../../src/agent/agent.ts";
// Loaded before any test, whose clock would not wait for it.
import "../../src/conversation/turn.ts";
import type { TurnWork } from "../../src/conversation/turn.ts";
import { Turns, type TurnsOptions } from "../../src/conversation/turns.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { prepared } from "./prepared.ts";

/** What a turn works with: an agent that does as `run` says; replies are left out unless `changes` composes them. */
export function workOver(
  store: ConversationStore,
  clock: Clock,
  run: Agent["run"],
  changes: Partial<TurnWork> = {},
): TurnWork {
  return {
    store,
    agent: { kind: "webhook", run, probe: async () => "fine" },
    prepare: prepared,
    compose: async () => [],
    timeoutMs: 30_000,
    maxHistory: 4,
    systemPrompt: null,
    failureReply: "Sorry.",
    clock,
    log: silentLog,
    alarms: new Alarms(clock, silentLog),
    ...changes,
  };
}

/** Turns over a real store, with the work of {@link workOver}. */
export function turnsOver(
  store: ConversationStore,
  channelOf: TurnsOptions["channelOf"],
  clock: Clock,
  run: Agent["run"],
  changes: Partial<TurnsOptions> = {},
  work: Partial<TurnWork> = {},
): Turns {
  const alarms = changes.alarms ?? new Alarms(clock, silentLog);
  return new Turns({
    store,
    channelOf,
    work: workOver(store, clock, run, { alarms, ...work }),
    debounceMs: 0,
    maxConcurrent: 8,
    clock,
    log: silentLog,
    metrics: createMetrics(),
    finish: async (turn) => (await store.finishTurn(turn))?.chat ?? null,
    onDeliveries: () => {},
    ...changes,
    alarms,
  });
}
