import * as v from "valibot";
import { createAgent } from "../../src/agent/registry.ts";
import type { Agent } from "../../src/agent/agent.ts";
import { configSchema } from "../../src/config/schema.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog, type Logger } from "../../src/telemetry/log.ts";

/** The key that every provider is given; it must show up nowhere else. */
export const key = "sk-test-51Hq9-not-to-be-seen";

export interface SeenCall {
  path: string;
  headers: Headers;
  body: { model: string; messages: { role: string; content: unknown }[]; [key: string]: unknown };
}

export interface ProviderStandIn {
  url: string;
  seen: SeenCall[];
  /** Services that a fetch was asked for. */
  services: string[];
  respond: (call: SeenCall) => Response | Promise<Response>;
  /** A model agent that speaks to the stand-in, as openai where the configuration names no other. */
  model(config?: object, env?: Record<string, string>, log?: Logger): Promise<Agent>;
  /** Back to answering "hello". */
  reset(): void;
  stop(): Promise<void>;
}

/** A loopback server that answers as OpenAI's and Anthropic's do. */
export function providerStandIn(): ProviderStandIn {
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const body = await request.json();
      const call = { path: new URL(request.url).pathname, headers: request.headers, body };
      double.seen.push(call);
      return double.respond(call);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const hello = ({ path }: SeenCall) =>
    path.endsWith("/messages") ? anthropicMessage("hello") : completion("hello");
  const double: ProviderStandIn = {
    url,
    seen: [],
    services: [],
    respond: hello,
    model: (config = {}, env = {}, log = silentLog) =>
      createAgent({
        config: v.parse(configSchema, {
          default_provider: "openai",
          default_model: "m-1",
          api_url: `${url}/v1`,
          api_key: key,
          ...config,
        }),
        env,
        fetchFor: (service) => {
          double.services.push(service);
          return fetch;
        },
        log,
        clock: systemClock,
      }),
    reset() {
      double.seen = [];
      double.services = [];
      double.respond = hello;
    },
    stop: () => server.stop(true),
  };
  return double;
}

export function completion(content: string | null, finish_reason = "stop"): Response {
  return Response.json({
    id: "c1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason }],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  });
}

function anthropicMessage(text: string): Response {
  return Response.json({
    id: "m1",
    type: "message",
    role: "assistant",
    model: "m",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  });
}
