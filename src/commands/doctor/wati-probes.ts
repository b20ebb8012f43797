import { createMetrics } from "../../telemetry/metrics.ts";
import { silentLog } from "../../telemetry/log.ts";
import { error, ok, warning, type Probe } from "./probe.ts";

export const watiProbes: Probe[] = [
  {
    group: "wati",
    name: "token",
    async run({ loaded, network, clock }, signal) {
      const { wati: config } = loaded.config.channels_config;
      if (!config) return [];
      const { createWati } = await import("../../channels/wati/channel.ts");
      const channel = createWati({
        config,
        fetch: network.fetchFor("channel.wati"),
        clock,
        metrics: createMetrics(),
        log: silentLog,
      });
      const failure = await channel.probe(signal);
      if (!failure) return [ok("token", "WATI takes the API token")];
      if (failure.code === "foreign_answer") {
        return [error("token", "what answers is not WATI", failure.hint)];
      }
      // Statuses are numbers; a connection that failed has a word.
      const said = /^\d/.test(failure.code)
        ? `answers ${failure.code}`
        : `cannot be reached at ${new URL(config.api_url).host} (${failure.code})`;
      return [error("token", `WATI ${said}`, failure.hint)];
    },
  },
  {
    group: "wati",
    name: "webhook secret",
    run({ loaded }) {
      const config = loaded.config.channels_config.wati;
      if (!config) return [];
      return config.webhook_secret === undefined
        ? [
            warning(
              "webhook secret",
              "is not set, so anybody who finds the address can post messages",
              "set webhook_secret, and add ?secret=… to the address in WATI",
            ),
          ]
        : [ok("webhook secret", "is set")];
    },
  },
];
