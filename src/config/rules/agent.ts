import { isWebAddress, noWebAddress, secureAddressProblem } from "../addresses.ts";
import { nearestName } from "../nearest.ts";
import type { RuleContext } from "./report.ts";

/** Providers that are known by name; any other is `custom:` and an address. */
export const providerNames = ["openrouter", "openai", "anthropic", "groq", "ollama"] as const;

const modelKeys = ["default_provider", "default_model", "api_key", "api_url"];

const noAgent =
  'nobody is set to answer: add [agent] with kind = "webhook" and url, kind = "command" and command, or ' +
  'kind = "echo"; or set default_provider and default_model';

/** Somebody must answer, and must be able to. */
export function checkAgent(context: RuleContext): void {
  const { config, given, faulty, error, warn } = context;
  if (config.channels_config.message_timeout_secs < 30) {
    warn(["channels_config", "message_timeout_secs"], "is under 30 and counts as 30");
  }
  if (faulty(["agent"]) || faulty(["agent", "kind"])) return;
  const agent = config.agent;
  if (!given(["agent"]) && !modelKeys.some((key) => given([key]))) return error(["agent"], noAgent);
  const kind = agent?.kind ?? "model";
  if (kind === "model") checkModel(context);
  if (kind === "command" && agent?.command === undefined) {
    error(
      ["agent", "command"],
      'missing; kind = "command" needs a list such as ["/usr/bin/my-agent"]',
    );
  }
  if (kind === "webhook") checkWebhook(context);
}

function checkWebhook({ config: { agent }, error }: RuleContext): void {
  const path = ["agent", "url"];
  if (agent?.url === undefined) return error(path, 'missing; kind = "webhook" needs an address');
  if (!isWebAddress(agent.url)) return error(path, noWebAddress);
  if (agent.bearer_token === undefined) return;
  const problem = secureAddressProblem(agent.url, "https", "bearer_token");
  if (problem) error(path, problem);
}

function checkModel({ config, error }: RuleContext): void {
  const provider = config.default_provider;
  if (provider === undefined) {
    error(["default_provider"], 'missing; kind = "model" needs one, such as "openrouter"');
  } else checkProvider(provider, config.api_key !== undefined, error);
  if (config.default_model === undefined) {
    error(["default_model"], 'missing; kind = "model" needs a model name');
  }
  if (config.api_url === undefined) return;
  const keyless = config.api_key === undefined && provider === "ollama";
  const problem = secureAddressProblem(config.api_url, "https");
  if (problem && !(keyless && isWebAddress(config.api_url))) error(["api_url"], problem);
}

function checkProvider(provider: string, hasKey: boolean, error: RuleContext["error"]): void {
  const path = ["default_provider"];
  if (provider.startsWith("custom:")) {
    const address = provider.slice("custom:".length);
    if (!isWebAddress(address)) return error(path, `${noWebAddress} after custom:`);
    const problem = secureAddressProblem(address, "https", "api_key");
    if (problem && hasKey) error(path, problem);
    return;
  }
  if (providerNames.some((name) => name === provider)) return;
  const nearest = nearestName(provider, providerNames);
  const hint = nearest === null ? "" : `; did you mean "${nearest}"?`;
  const names = providerNames.map((name) => `"${name}"`).join(", ");
  error(path, `expected ${names} or "custom:https://…", found another string${hint}`);
}
