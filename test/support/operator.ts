import type { Channel } from "../../src/channels/channel.ts";
import type { ControlApi } from "../../src/control/api.ts";
import { operator, type OperatorOptions } from "../../src/control/operator.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ConversationStore, Source } from "../../src/store/contract.ts";
import { Alarms } from "../../src/telemetry/alarms.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createMetrics } from "../../src/telemetry/metrics.ts";
import { outboxOver } from "./outbox.ts";
import { turnsOver } from "./turns.ts";

/** What an operator can do over real parts; `asked` gets what the agent was asked, which says nothing. */
export function operatorOver(
  store: ConversationStore,
  clock: Clock,
  channels: Channel[],
  asked: string[] = [],
  changes: Partial<OperatorOptions> = {},
): ControlApi {
  const channelOf = (source: Source) =>
    channels.find(({ name, account }) => name === source.channel && account === source.account);
  const alarms = new Alarms(clock, silentLog);
  const metrics = createMetrics();
  const sender = (): Channel => {
    const [first] = channels;
    if (!first) throw new Error("no channel runs");
    return first;
  };
  const outbox = outboxOver(store, sender, clock, alarms, metrics);
  const turns = turnsOver(
    store,
    channelOf,
    clock,
    async (request) => {
      asked.push(request.messages.map((each) => each.text).join());
      return { parts: [] };
    },
    { alarms, metrics },
  );
  return operator({
    version: "1",
    variant: "default",
    configPath: "/config.toml",
    channels,
    skipped: [],
    store,
    checkStore: async () => {},
    outbox,
    turns,
    alarms,
    metrics,
    clock,
    gateway: () => ({ address: null, publicUrl: null }),
    uptime: () => 0,
    ...changes,
  });
}
