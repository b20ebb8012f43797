import { afterAll, beforeEach, describe, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { createWebhookAgent } from "../../src/agent/webhook.ts";
import { fakeClock } from "../support/clock.ts";
import { rejection } from "../support/rejection.ts";
import { turn } from "../support/turn.ts";

const token = "tok-5f3a-secret";
let respond: (request: Request, body: string) => Response | Promise<Response>;
let seen: { method: string; path: string; headers: Headers; body: string }[] = [];

const server = Bun.serve({
  port: 0,
  async fetch(request) {
    const body = await request.text();
    const path = new URL(request.url).pathname;
    seen.push({ method: request.method, path, headers: request.headers, body });
    return respond(request, body);
  },
});
const elsewhere = Bun.serve({ port: 0, fetch: () => Response.json({ text: "from elsewhere" }) });
afterAll(async () => {
  await server.stop(true);
  await elsewhere.stop(true);
});
beforeEach(() => {
  seen = [];
  respond = () => Response.json({ text: "hello" });
});

const agent = (url = `http://127.0.0.1:${server.port}/turn`, bearerToken?: string) =>
  createWebhookAgent({ url, bearerToken, fetch, clock: fakeClock() });
const never = new AbortController().signal;

test("a turn is one POST of its JSON, with the bearer", async () => {
  const reply = await agent(undefined, token).run(turn(), never);
  expect(reply).toEqual({ parts: [{ kind: "text", text: "hello" }] });
  expect(seen).toHaveLength(1);
  expect(seen[0]).toMatchObject({ method: "POST", path: "/turn" });
  expect(JSON.parse(seen[0]?.body ?? "")).toEqual(turn());
  expect(seen[0]?.headers.get("content-type")).toBe("application/json");
  expect(seen[0]?.headers.get("authorization")).toBe(`Bearer ${token}`);
});

test("without a token no authorization is sent", async () => {
  await agent().run(turn(), never);
  expect(seen[0]?.headers.get("authorization")).toBeNull();
});

test("204 is no reply", async () => {
  respond = () => new Response(null, { status: 204 });
  expect(await agent().run(turn(), never)).toEqual({ parts: [] });
});

describe("a failed turn that may be repeated", () => {
  test.each([400, 401, 403, 404, 410, 429, 500, 503, 201, 302])("status %d", async (status) => {
    respond = (request) =>
      new Response(`you sent ${request.headers.get("authorization")}`, { status });
    const error = await rejection(agent(undefined, token).run(turn(), never));
    expect(error).toBeInstanceOf(AgentError);
    expect(String(error)).not.toContain(token);
    expect(error).toMatchObject({ retryable: true, detail: expect.stringContaining(`${status}`) });
  });

  test("200 without a body", async () => {
    respond = () => new Response("");
    expect(await rejection(agent().run(turn(), never))).toBeInstanceOf(AgentError);
  });

  test("an answer over 4 MiB, declared or not", async () => {
    respond = () => new Response("x".repeat(4 * 1024 * 1024 + 1));
    expect(await rejection(agent().run(turn(), never))).toMatchObject({
      detail: expect.stringContaining("longer than"),
    });
    respond = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
        }),
      );
    expect(await rejection(agent().run(turn(), never))).toMatchObject({
      detail: expect.stringContaining("longer than"),
    });
  });

  test("nobody there", async () => {
    const gone = Bun.serve({ port: 0, fetch: () => new Response() });
    const url = `http://127.0.0.1:${gone.port}/?key=in-the-address`;
    await gone.stop(true);
    const error = await rejection(agent(url).run(turn(), never));
    expect(String(error)).not.toContain("in-the-address");
    expect(error).toMatchObject({
      retryable: true,
      detail: expect.stringContaining("cannot reach"),
    });
  });
});

describe("redirects", () => {
  test("within the origin the turn is posted again", async () => {
    respond = (request) =>
      request.url.endsWith("/turn")
        ? new Response(null, { status: 307, headers: { location: "/turn/" } })
        : Response.json({ text: "moved" });
    expect(await agent(undefined, token).run(turn(), never)).toEqual({
      parts: [{ kind: "text", text: "moved" }],
    });
    expect(seen.map(({ method, path }) => [method, path])).toEqual([
      ["POST", "/turn"],
      ["POST", "/turn/"],
    ]);
    expect(JSON.parse(seen[1]?.body ?? "")).toEqual(turn());
  });

  test("to another origin they are not followed", async () => {
    const location = `http://127.0.0.1:${elsewhere.port}/`;
    respond = () => new Response(null, { status: 307, headers: { location } });
    expect(await rejection(agent(undefined, token).run(turn(), never))).toMatchObject({
      detail: expect.stringContaining("redirects elsewhere"),
    });
  });

  test("in a circle they end", async () => {
    respond = () => new Response(null, { status: 308, headers: { location: "/turn" } });
    expect(await rejection(agent().run(turn(), never))).toBeInstanceOf(AgentError);
    expect(seen).toHaveLength(4);
  });
});

describe("an aborted turn rejects with the signal's reason", () => {
  test("before the answer", async () => {
    const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
    respond = () => {
      arrive();
      return new Promise(() => {});
    };
    const controller = new AbortController();
    const run = rejection(agent().run(turn(), controller.signal));
    await arrived;
    controller.abort(new Error("out of time"));
    expect(await run).toEqual(new Error("out of time"));
  });

  test("within the answer", async () => {
    const controller = new AbortController();
    respond = () =>
      new Response(
        new ReadableStream({
          start(stream) {
            stream.enqueue(new TextEncoder().encode('{"text":'));
            queueMicrotask(() => controller.abort(new Error("out of time")));
          },
        }),
      );
    expect(await rejection(agent().run(turn(), controller.signal))).toEqual(
      new Error("out of time"),
    );
  });
});

describe("the probe asks without running a turn", () => {
  test.each([200, 204, 404, 405, 500, 501])("status %d to HEAD is an agent", async (status) => {
    respond = () => new Response(null, { status });
    expect(await agent(undefined, token).probe(never)).toContain(`status ${status}`);
    expect(seen[0]).toMatchObject({ method: "HEAD", body: "" });
  });

  test.each([401, 403, 502, 503])("status %d is not", async (status) => {
    respond = () => new Response(null, { status });
    expect(await rejection(agent(undefined, token).probe(never))).toBeInstanceOf(AgentError);
  });

  test("a refusal without a token set is not one of the token", async () => {
    respond = () => new Response(null, { status: 403 });
    await expect(agent(undefined, token).probe(never)).rejects.toThrow("the agent refuses the");
    await expect(agent().probe(never)).rejects.toThrow(
      "the agent or a proxy before it refuses, and no bearer token is set",
    );
  });
});
