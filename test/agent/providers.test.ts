import { generateText } from "ai";
import { expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { chooseProvider, loadModel, type Provider } from "../../src/agent/providers.ts";

// Which provider is asked, at which address and with whose key.

type Config = Parameters<typeof chooseProvider>[0];

test.each<[config: Config, name: Provider["name"], baseUrl: string, variable: string | null]>([
  [{}, "openrouter", "https://openrouter.ai/api/v1", "OPENROUTER_API_KEY"],
  [
    { default_provider: "openrouter" },
    "openrouter",
    "https://openrouter.ai/api/v1",
    "OPENROUTER_API_KEY",
  ],
  [{ default_provider: "openai" }, "openai", "https://api.openai.com/v1", "OPENAI_API_KEY"],
  [
    { default_provider: "anthropic" },
    "anthropic",
    "https://api.anthropic.com/v1",
    "ANTHROPIC_API_KEY",
  ],
  [{ default_provider: "groq" }, "groq", "https://api.groq.com/openai/v1", "GROQ_API_KEY"],
  [{ default_provider: "ollama" }, "ollama", "http://127.0.0.1:11434/v1", null],
  [{ default_provider: "custom:https://llm.test/v1" }, "custom", "https://llm.test/v1", null],
])("%o is %s at %s, with the key in %p", (config, name, baseUrl, variable) => {
  const missing = variable === null ? null : `no key for ${name}: set api_key or ${variable}`;
  const chosen = { name, baseUrl, apiKey: null, missing };
  const all = Object.fromEntries(
    ["OPENROUTER", "OPENAI", "ANTHROPIC", "GROQ"].map((of) => [`${of}_API_KEY`, `key of ${of}`]),
  );
  const own = variable === null ? null : (all[variable] ?? null);
  expect(chooseProvider(config, all)).toEqual({ ...chosen, apiKey: own, missing: null });
  const given = { ...config, api_key: "given" };
  expect(chooseProvider(given, all)).toMatchObject({ apiKey: "given", missing: null });
  // What is empty is not set.
  const empty = Object.fromEntries(Object.keys(all).map((each) => [each, ""]));
  for (const env of [{}, empty]) {
    expect(chooseProvider({ ...config, api_key: "" }, env)).toEqual(chosen);
  }
});

test.each([
  ["openai", "https://gateway.test", "https://gateway.test"],
  ["openai", "https://gateway.test/v1/", "https://gateway.test/v1"],
  ["openai", "https://gateway.test/v1/openai/", "https://gateway.test/v1/openai"],
  ["ollama", "http://gpu.test:11434", "http://gpu.test:11434/v1"],
  ["ollama", "http://gpu.test:11434/", "http://gpu.test:11434/v1"],
  ["ollama", "http://gpu.test:11434/llm", "http://gpu.test:11434/llm"],
  ["custom:https://llm.test/v1", "https://gateway.test/own", "https://gateway.test/own"],
])("%s with api_url %s is asked at %s", (default_provider, api_url, baseUrl) => {
  expect(chooseProvider({ default_provider, api_url }, {}).baseUrl).toBe(baseUrl);
});

test.each([
  { default_provider: "nobody" },
  { default_provider: "toString" },
  { default_provider: "custom:" },
  { default_provider: "openai", api_url: "ftp://gateway.test" },
])("%o is no provider, and none the next time either", (config) => {
  const choose = () => chooseProvider(config, {});
  expect(choose).toThrow(AgentError);
  expect(choose).toThrow(expect.objectContaining({ retryable: false }));
});

test.each([
  ["openrouter", "chat/completions"],
  ["openai", "chat/completions"],
  ["anthropic", "messages"],
  ["groq", "chat/completions"],
  ["ollama", "chat/completions"],
  ["custom", "chat/completions"],
] as const)("%s is asked by the fetch that is given, and by no other", async (name, path) => {
  const asked: string[] = [];
  const given = async (url: string | URL | Request) => {
    asked.push(url instanceof Request ? url.url : String(url));
    return new Response("", { status: 500 });
  };
  const fetch = Object.assign(given, { preconnect: () => {} });
  const baseUrl = "http://127.0.0.1:1/v1";
  const model = await loadModel({ name, baseUrl, apiKey: "key", missing: null }, "m", fetch);
  await generateText({ model, prompt: "hi", maxRetries: 0 }).catch(() => {});
  expect(asked).toEqual([`${baseUrl}/${path}`]);
});
