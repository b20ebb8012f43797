import { afterAll, beforeEach, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { completion, key, providerStandIn } from "./provider-stand-in.ts";
import { rejection } from "../support/rejection.ts";
import { turn } from "../support/turn.ts";

const never = new AbortController().signal;
const provider = providerStandIn();
beforeEach(provider.reset);
afterAll(provider.stop);

const statuses = [
  [400, false],
  [401, false],
  [402, false],
  [403, false],
  [404, false],
  [302, false],
  [408, true],
  [425, true],
  [429, true],
  [500, true],
  [503, true],
  [529, true],
] as const;

for (const name of ["openai", "openrouter", "groq", "anthropic", "custom"]) {
  test.each(statuses)(
    `${name}: status %d, repeated: %p, without the key that the answer echoes`,
    async (status, retryable) => {
      provider.respond = ({ headers }) => {
        const given = `${headers.get("authorization")} ${headers.get("x-api-key")}`;
        return Response.json(
          { type: "error", error: { message: given, type: given, code: given } },
          { status, headers: { "x-echo": given, "www-authenticate": given } },
        );
      };
      const named = name === "custom" ? { default_provider: `custom:${provider.url}/v1` } : {};
      const agent = await provider.model({ default_provider: name, ...named });
      const error = await rejection(agent.run(turn(), never));
      expect(error).toBeInstanceOf(AgentError);
      expect(everything(error)).not.toContain(key);
      expect(error).toMatchObject({ retryable, detail: expect.stringContaining(`${status}`) });
      expect(provider.seen).toHaveLength(1);
    },
  );
}

test("the provider's error code is passed on", async () => {
  provider.respond = () =>
    Response.json({ error: { message: "x", code: "model_not_found" } }, { status: 404 });
  expect(await rejection((await provider.model()).run(turn(), never))).toMatchObject({
    detail:
      "openai answered with status 404 (model_not_found): there is no such model or address; check default_model and api_url",
  });
});

test("a redirect is not followed, so the key stays where it belongs", async () => {
  provider.respond = () =>
    new Response(null, { status: 307, headers: { location: `${provider.url}/stolen` } });
  expect(await rejection((await provider.model()).run(turn(), never))).toBeInstanceOf(AgentError);
  expect(provider.seen).toHaveLength(1);
});

test("nobody there", async () => {
  const gone = Bun.serve({ port: 0, fetch: () => new Response() });
  const api_url = `http://127.0.0.1:${gone.port}/v1`;
  await gone.stop(true);
  const error = await rejection((await provider.model({ api_url })).run(turn(), never));
  expect(everything(error)).not.toContain(key);
  expect(error).toMatchObject({
    retryable: true,
    detail: expect.stringMatching(/^cannot reach openai at 127\.0\.0\.1:\d+ \(\w+\)$/),
  });
});

test.each([
  ["an empty answer", () => completion(""), true, "empty answer (stop)"],
  ["no answer", () => completion(null, "length"), true, "empty answer (length)"],
  ["a filter", () => completion("", "content_filter"), false, "empty answer (content-filter)"],
  ["no JSON", () => new Response("secret words"), true, "cannot be used"],
  ["another JSON", () => Response.json({ secret: "words" }), true, "cannot be used"],
  [
    "an endless one",
    () =>
      new Response(
        new ReadableStream({ pull: (stream) => stream.enqueue(new Uint8Array(1024 * 1024)) }),
      ),
    true,
    "longer than 4194304 bytes",
  ],
] as const)("%s", async (_, response, retryable, detail) => {
  provider.respond = response;
  const error = await rejection((await provider.model()).run(turn(), never));
  expect(everything(error)).not.toContain("secret");
  expect(error).toMatchObject({ retryable, detail: expect.stringContaining(detail) });
});

test("an aborted turn rejects with the signal's reason", async () => {
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
  provider.respond = () => {
    arrive();
    return new Promise(() => {});
  };
  const controller = new AbortController();
  const run = rejection((await provider.model()).run(turn(), controller.signal));
  await arrived;
  controller.abort(new Error("out of time"));
  expect(await run).toEqual(new Error("out of time"));
});

/** All that an error could show, causes and own properties included. */
function everything(error: unknown): string {
  return Bun.inspect(error, { depth: 10 }) + JSON.stringify(error);
}
