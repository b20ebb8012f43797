import type { Config } from "../config/schema.ts";
import type { Fetch } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentError, type Agent } from "./agent.ts";
import { createEchoAgent } from "./echo.ts";

export interface AgentOptions {
  config: Config;
  env: Record<string, string | undefined>;
  /** The fetch of a service: `agent.webhook`, or `provider.` and the provider's name. */
  fetchFor: (service: string) => Fetch;
  log: Logger;
  clock: Clock;
}

/**
 * The agent that a configuration asks for; the other kinds are not loaded. Costs nothing: libraries and programs are
 * loaded with the first turn. Rejects with {@link AgentError} where the configuration cannot make one. A missing key of
 * a model's provider is no such case: the agent is there, and its turns and its probe say what is missing.
 */
export async function createAgent(options: AgentOptions): Promise<Agent> {
  const { config, env, fetchFor, log, clock } = options;
  const settings = config.agent;
  switch (settings?.kind ?? "model") {
    case "echo":
      return createEchoAgent();
    case "webhook": {
      const url = URL.parse(settings?.url ?? "");
      if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
        throw new AgentError('[agent] kind = "webhook" needs url, an http or https address', false);
      }
      const { createWebhookAgent } = await import("./webhook.ts");
      return createWebhookAgent({
        url: url.href,
        bearerToken: settings?.bearer_token,
        fetch: fetchFor("agent.webhook"),
        clock,
      });
    }
    case "command": {
      const [program, ...args] = settings?.command ?? [];
      if (!program) {
        throw new AgentError(
          '[agent] kind = "command" needs command, a program and its arguments',
          false,
        );
      }
      const { createCommandAgent } = await import("./command.ts");
      return createCommandAgent({
        command: [program, ...args],
        cwd: settings?.cwd,
        env,
        clock,
        log,
      });
    }
    case "model": {
      const { chooseProvider } = await import("./providers.ts");
      const provider = chooseProvider(config, env);
      if (!config.default_model) {
        throw new AgentError(
          'no model is chosen: set default_model, or [agent] kind to "webhook", "command" or "echo"',
          false,
        );
      }
      if (provider.missing) log.warn({ provider: provider.name }, provider.missing);
      const { createModelAgent } = await import("./model.ts");
      return createModelAgent({
        provider,
        model: config.default_model,
        temperature: config.default_temperature,
        fetch: fetchFor(`provider.${provider.name}`),
        clock,
        log,
      });
    }
  }
}
