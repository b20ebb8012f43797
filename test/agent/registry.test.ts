import { describe, expect, test } from "bun:test";
import * as v from "valibot";
import { createAgent } from "../../src/agent/registry.ts";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/telemetry/log.ts";

async function create(config: object) {
  const services: string[] = [];
  const agent = await createAgent({
    config: v.parse(configSchema, config),
    env: {},
    fetchFor: (service) => {
      services.push(service);
      return fetch;
    },
    log: silentLog,
    clock: systemClock,
  });
  return { kind: agent.kind, services };
}

test.each([
  [{ agent: { kind: "echo" } }, "echo", []],
  [{ agent: { kind: "webhook", url: "https://agent.example/" } }, "webhook", ["agent.webhook"]],
  [{ agent: { kind: "command", command: ["cat"] } }, "command", []],
  [{ agent: {}, default_model: "m" }, "model", ["provider.openrouter"]],
  [{ default_provider: "ollama", default_model: "m" }, "model", ["provider.ollama"]],
  [
    { default_provider: "custom:https://llm.example/v1", default_model: "m" },
    "model",
    ["provider.custom"],
  ],
])("%p makes %s", async (config, kind, services) => {
  expect(await create(config)).toEqual({ kind, services } as never);
});

describe("says what is missing", () => {
  test.each([
    [{ agent: { kind: "webhook" } }, "needs url"],
    [{ agent: { kind: "webhook", url: "agent.example" } }, "needs url"],
    [{ agent: { kind: "command" } }, "needs command"],
    [{ agent: { kind: "command", command: [""] } }, "needs command"],
    [{ default_provider: "openai" }, "set default_model"],
  ])("%p", async (config, detail) => {
    await expect(create(config)).rejects.toThrow(detail);
  });
});

test("a model whose key is missing is made, and the log says what is", async () => {
  const said: unknown[] = [];
  const make = (api_key?: string) =>
    createAgent({
      config: v.parse(configSchema, { default_provider: "openai", default_model: "m", api_key }),
      env: {},
      fetchFor: () => fetch,
      log: { ...silentLog, warn: (...line) => void said.push(line) },
      clock: systemClock,
    });
  await make("kkkk");
  expect(said).toEqual([]);
  expect((await make()).kind).toBe("model");
  expect(said).toEqual([[{ provider: "openai" }, expect.stringContaining("OPENAI_API_KEY")]]);
});

test.each([
  { agent: { kind: "webhook" } },
  { agent: { kind: "command" } },
  { default_provider: "openai" },
])("what is missing in %p has to be mended", async (config) => {
  await expect(create(config)).rejects.toMatchObject({ retryable: false });
});

test("a webhook may be asked in the clear, and nothing but the web", async () => {
  expect((await create({ agent: { kind: "webhook", url: "http://agent.example/" } })).kind).toBe(
    "webhook",
  );
  await expect(create({ agent: { kind: "webhook", url: "ftp://agent.example/" } })).rejects.toThrow(
    "needs url",
  );
});
