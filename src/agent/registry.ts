import type { Config } from "../config/schema.ts";
import type { Fetch } from "../net/fetch.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentError, type Agent } from "./agent.ts";
import { createCommandAgent } from "./command.ts";
import { createEchoAgent } from "./echo.ts";
import { createModelAgent } from "./model.ts";
import { chooseProvider } from "./providers.ts";
import { createWebhookAgent } from "./webhook.ts";

export interface AgentOptions {
  config: Config;
  env: Record<string, string | undefined>;
  /** The fetch of a service: `agent.webhook`, or `provider.` and the provider's name. */
  fetchFor: (service: string) => Fetch;
  log: Logger;
  clock: Clock;
}

/**
 * The agent that a configuration asks for. Costs nothing: libraries and programs are loaded with the first turn.
 * Throws {@link AgentError} where the configuration cannot make one. A missing key of a model's provider is no such
 * case: the agent is there, and its turns and its probe say what is missing.
 */
export function createAgent(options: AgentOptions): Agent {
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
      return createWebhookAgent({
        url: url.href,
        bearerToken: settings?.bearer_token,
        fetch: fetchFor("agent.webhook"),
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
      return createCommandAgent({
        command: [program, ...args],
        cwd: settings?.cwd,
        env,
        clock,
        log,
      });
    }
    case "model": {
      const provider = chooseProvider(config, env);
      if (!config.default_model) {
        throw new AgentError(
          'no model is chosen: set default_model, or [agent] kind to "webhook", "command" or "echo"',
          false,
        );
      }
      if (provider.missing) log.warn({ provider: provider.name }, provider.missing);
      return createModelAgent({
        provider,
        model: config.default_model,
        temperature: config.default_temperature,
        fetch: fetchFor(`provider.${provider.name}`),
        log,
      });
    }
  }
}
