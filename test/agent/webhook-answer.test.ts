import { describe, expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { createWebhookAgent } from "../../src/agent/webhook.ts";
import { fakeClock } from "../support/clock.ts";
import { rejection } from "../support/rejection.ts";
import { turn } from "../support/turn.ts";

const clock = fakeClock();

/** An agent whose address answers each request with the next of these. */
function answering(...responses: Response[]) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const agent = createWebhookAgent({
    url: "http://agent.test/turn",
    bearerToken: "the-token",
    clock,
    async fetch(url, init) {
      asked.push({ url: String(url), init });
      const next = responses.shift();
      if (!next) throw new Error("asked too often");
      return next;
    },
  });
  return { agent, asked };
}

/** A body that goes on for ever, and whether it was let go of. */
function endless() {
  const body = { released: false };
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1024)),
    cancel: () => void (body.released = true),
  });
  return { body, stream };
}

const never = new AbortController().signal;

test.each<[string, number, HeadersInit, number]>([
  ["seconds", 503, { "retry-after": "20" }, 20_000],
  ["of whatever status", 429, { "retry-after": "5" }, 5_000],
  ["a date", 503, { "retry-after": new Date(clock.now() + 7_000).toUTCString() }, 7_000],
  ["none", 503, {}, 0],
  ["nothing readable", 503, { "retry-after": "soon" }, 0],
])("how long it wishes to be left alone: %s", async (_, status, headers, afterMs) => {
  const { agent } = answering(new Response(null, { status, headers }));
  expect(await rejection(agent.run(turn(), never))).toMatchObject({ retryable: true, afterMs });
});

describe("a body that is not read is let go of", () => {
  test.each([500, 201, 302])("with status %d", async (status) => {
    const { body, stream } = endless();
    const { agent } = answering(new Response(stream, { status }));
    await rejection(agent.run(turn(), never));
    expect(body.released).toBe(true);
  });

  test("with a redirect, that is followed and that is not", async () => {
    for (const location of ["/turn/", "http://elsewhere.test/"]) {
      const { body, stream } = endless();
      const { agent } = answering(
        new Response(stream, { status: 307, headers: { location } }),
        Response.json({ text: "moved" }),
      );
      await agent.run(turn(), never).catch(() => {});
      expect(body.released).toBe(true);
    }
  });

  test("by the probe", async () => {
    const { body, stream } = endless();
    const { agent } = answering(new Response(stream));
    await agent.probe(never);
    expect(body.released).toBe(true);
  });
});

describe("redirects", () => {
  test("without a target, or with one that is none, are a failed turn", async () => {
    for (const headers of [{}, { location: "http://[half" }, { location: "" }]) {
      const { agent, asked } = answering(
        ...Array.from({ length: 9 }, () => new Response(null, { status: 307, headers })),
      );
      expect(await rejection(agent.run(turn(), never))).toMatchObject({
        retryable: true,
        detail: expect.stringContaining("redirects elsewhere (status 307)"),
      });
      expect(asked.every(({ url }) => url === "http://agent.test/turn")).toBe(true);
    }
  });

  test("to another port or scheme of the same name carry nothing there", async () => {
    for (const location of ["http://agent.test:81/", "https://agent.test/", "//elsewhere.test/"]) {
      const { agent, asked } = answering(
        new Response(null, { status: 308, headers: { location } }),
      );
      expect(await rejection(agent.run(turn(), never))).toBeInstanceOf(AgentError);
      expect(asked).toHaveLength(1);
    }
  });

  test("may be relative to where the first one led", async () => {
    const { agent, asked } = answering(
      new Response(null, { status: 307, headers: { location: "/v2/" } }),
      new Response(null, { status: 307, headers: { location: "turn" } }),
      Response.json({ text: "moved" }),
    );
    await agent.run(turn(), never);
    expect(asked.map(({ url }) => url)).toEqual([
      "http://agent.test/turn",
      "http://agent.test/v2/",
      "http://agent.test/v2/turn",
    ]);
  });
});

describe("an answer that cannot be read", () => {
  const breaking = (error: Error) =>
    new ReadableStream({
      pull(controller) {
        controller.error(error);
      },
    });

  test("because it broke off is a failed turn worth repeating, by its code alone", async () => {
    const error = Object.assign(new Error("http://agent.test/?key=k"), { code: "ECONNRESET" });
    const { agent } = answering(new Response(breaking(error)));
    expect(await rejection(agent.run(turn(), never))).toMatchObject({
      retryable: true,
      detail: "the agent's answer broke off (ECONNRESET)",
    });
  });

  test("because it is too long is one as well", async () => {
    const { body, stream } = endless();
    const { agent } = answering(new Response(stream));
    expect(await rejection(agent.run(turn(), never))).toMatchObject({
      retryable: true,
      detail: "the agent's answer is longer than 4194304 bytes",
    });
    expect(body.released).toBe(true);
  });

  test("because the turn was ended meanwhile is no fault of the agent", async () => {
    const ending = new AbortController();
    const stream = new ReadableStream({
      pull(controller) {
        ending.abort(new Error("out of time"));
        controller.error(new Error("aborted"));
      },
    });
    const { agent } = answering(new Response(stream));
    expect(await rejection(agent.run(turn(), ending.signal))).toEqual(new Error("out of time"));
  });
});

test("the longest answer that is read is read whole", async () => {
  const frame = JSON.stringify({ text: "", ignored: "" }).length;
  const text = JSON.stringify({ text: "hi", ignored: "x".repeat(4 * 1024 * 1024 - frame - 2) });
  expect(text).toHaveLength(4 * 1024 * 1024);
  const { agent } = answering(new Response(text), new Response(`${text} `));
  expect((await agent.run(turn(), never)).parts).toEqual([{ kind: "text", text: "hi" }]);
  expect(await rejection(agent.run(turn(), never))).toBeInstanceOf(AgentError);
});

test("the probe tells what has to be mended from what may pass", async () => {
  for (const [status, retryable] of [
    [401, false],
    [403, false],
    [502, true],
    [599, true],
  ] as const) {
    const { agent, asked } = answering(new Response(null, { status }));
    expect(await rejection(agent.probe(never))).toMatchObject({ retryable });
    expect(asked[0]?.init).toMatchObject({ method: "HEAD", redirect: "manual" });
    expect(new Headers(asked[0]?.init?.headers).get("authorization")).toBe("Bearer the-token");
  }
});
