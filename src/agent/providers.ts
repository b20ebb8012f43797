import type { LanguageModel } from "ai";
import type { providerNames } from "../config/rules/agent.ts";
import type { Config } from "../config/schema.ts";
import { AgentError } from "./agent.ts";

type ModelConfig = Pick<Config, "default_provider" | "api_key" | "api_url">;
type Environment = Record<string, string | undefined>;

const providers = {
  openrouter: { baseUrl: "https://openrouter.ai/api/v1", keyVariable: "OPENROUTER_API_KEY" },
  openai: { baseUrl: "https://api.openai.com/v1", keyVariable: "OPENAI_API_KEY" },
  anthropic: { baseUrl: "https://api.anthropic.com/v1", keyVariable: "ANTHROPIC_API_KEY" },
  groq: { baseUrl: "https://api.groq.com/openai/v1", keyVariable: "GROQ_API_KEY" },
  ollama: { baseUrl: "http://127.0.0.1:11434/v1", keyVariable: null },
} as const satisfies Record<(typeof providerNames)[number], object>;

type ProviderName = keyof typeof providers | "custom";

export interface Provider {
  name: ProviderName;
  baseUrl: string;
  /** null for ollama and custom addresses without `api_key`. */
  apiKey: string | null;
  /** What is missing before it can be asked, in words for the operator. */
  missing: string | null;
}

/**
 * Which provider the configuration chooses (openrouter where it names none). A key comes from `api_key`, else the
 * provider's own variable; a custom address only ever gets `api_key`, so that no provider's key reaches a stranger.
 * Throws {@link AgentError} where there is no such provider or its address is none.
 */
export function chooseProvider(config: ModelConfig, env: Environment): Provider {
  const chosen = config.default_provider ?? "openrouter";
  const configured = config.api_key || null;
  if (chosen.startsWith("custom:")) {
    const baseUrl = address(config.api_url ?? chosen.slice("custom:".length));
    return { name: "custom", baseUrl, apiKey: configured, missing: null };
  }
  if (!isKnown(chosen)) {
    throw new AgentError(
      `default_provider must be ${Object.keys(providers).join(", ")} or custom:https://…/v1`,
      false,
    );
  }
  const { baseUrl, keyVariable } = providers[chosen];
  const apiKey = configured ?? ((keyVariable && env[keyVariable]) || null);
  return {
    name: chosen,
    baseUrl: address(config.api_url ?? baseUrl, chosen === "ollama" ? "/v1" : ""),
    apiKey,
    missing: keyVariable && !apiKey ? `no key for ${chosen}: set api_key or ${keyVariable}` : null,
  };
}

function isKnown(name: string): name is keyof typeof providers {
  return Object.hasOwn(providers, name);
}

/** `path` is added where the address has none: Ollama's own address is its OpenAI-style one without `/v1`. */
function address(value: string, path = ""): string {
  const url = URL.parse(value);
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:")) {
    throw new AgentError("the provider's address must be an http or https URL", false);
  }
  if (url.pathname === "/" && path !== "") url.pathname = path;
  return url.href.replace(/\/$/, "");
}

/**
 * The model of a provider. Address and key are always given, so that the SDK never looks for them in the process
 * environment. OpenAI is spoken to by Chat Completions: the form that `api_url` stand-ins know, and one that keeps
 * nothing at the provider, which the Responses API does by default.
 */
export async function loadModel(
  provider: Provider,
  model: string,
  fetch: typeof globalThis.fetch,
): Promise<LanguageModel> {
  const settings = {
    baseURL: provider.baseUrl,
    apiKey: provider.apiKey ?? "",
    fetch,
  };
  switch (provider.name) {
    case "openrouter": {
      const { createOpenRouter } = await import("@openrouter/ai-sdk-provider");
      return createOpenRouter({ ...settings, compatibility: "strict" }).chat(model);
    }
    case "openai": {
      const { createOpenAI } = await import("@ai-sdk/openai");
      return createOpenAI(settings).chat(model);
    }
    case "anthropic": {
      const { createAnthropic } = await import("@ai-sdk/anthropic");
      return createAnthropic(settings)(model);
    }
    case "groq": {
      const { createGroq } = await import("@ai-sdk/groq");
      return createGroq(settings)(model);
    }
    case "ollama":
    case "custom": {
      const { createOpenAICompatible } = await import("@ai-sdk/openai-compatible");
      const { baseURL, fetch } = settings;
      return createOpenAICompatible({
        name: provider.name,
        baseURL,
        fetch,
        ...(provider.apiKey === null ? {} : { apiKey: provider.apiKey }),
      })(model);
    }
  }
}
