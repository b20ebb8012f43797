import { expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { providerFetch } from "../../src/agent/provider-fetch.ts";
import { rejection } from "./turn.ts";

/** The fetch that a provider's SDK is given, over one that answers so. */
function over(answer: (init: RequestInit | undefined) => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const fetch = providerFetch(async (url, init) => {
    asked.push({ url: String(url), init });
    return answer(init);
  }, "openai");
  return { fetch, asked };
}

test("an answer is handed on with its status, headers and body", async () => {
  const { fetch, asked } = over(
    () =>
      new Response("words", {
        status: 429,
        statusText: "Slow down",
        headers: { "retry-after": "3" },
      }),
  );
  for (const input of [
    "https://api.test/v1?key=k",
    new URL("https://api.test/v1?key=k"),
    new Request("https://api.test/v1?key=k"),
  ]) {
    const answer = await fetch(input, { method: "POST", body: "{}" });
    expect([answer.status, answer.statusText]).toEqual([429, "Slow down"]);
    expect(answer.headers.get("retry-after")).toBe("3");
    expect(await answer.text()).toBe("words");
    expect(asked.pop()).toMatchObject({
      url: "https://api.test/v1?key=k",
      init: { method: "POST", body: "{}" },
    });
  }
});

test.each([204, 205, 304])("an answer of status %d has no body", async (status) => {
  const { fetch } = over(() => new Response(null, { status }));
  const answer = await fetch("https://api.test/");
  expect([answer.status, answer.body]).toEqual([status, null]);
});

test("a redirect is not followed, whatever the SDK wants: the key stays on its host", async () => {
  const { fetch, asked } = over(
    () => new Response(null, { status: 307, headers: { location: "https://evil.test/" } }),
  );
  expect((await fetch("https://api.test/", { redirect: "follow" })).status).toBe(307);
  expect(asked.map(({ init }) => init?.redirect)).toEqual(["manual"]);
});

test("an answer of more than 4 MiB is a turn worth repeating, and is read no further", async () => {
  let released = false;
  const { fetch } = over(
    () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1024 * 1024)),
          cancel: () => void (released = true),
        }),
      ),
  );
  expect(await rejection(fetch("https://api.test/"))).toMatchObject({
    retryable: true,
    detail: "the answer of openai is longer than 4194304 bytes",
  });
  expect(released).toBe(true);
  const longest = over(() => new Response(new Uint8Array(4 * 1024 * 1024)));
  expect(await (await longest.fetch("https://api.test/")).bytes()).toHaveLength(4 * 1024 * 1024);
});

test("no answer is a turn worth repeating, by its code and host alone", async () => {
  const failing = () => {
    throw Object.assign(new Error("https://api.test/v1?key=hunter2"), { code: "ECONNRESET" });
  };
  const breaking = () => new Response(new ReadableStream({ pull: failing }));
  for (const answer of [failing, breaking]) {
    const error = await rejection(over(answer).fetch("https://api.test/v1?key=hunter2"));
    expect(error).toBeInstanceOf(AgentError);
    expect(error).toMatchObject({
      retryable: true,
      detail: "cannot reach openai at api.test (ECONNRESET)",
    });
    expect(String(error)).not.toContain("hunter2");
  }
});

test("an aborted call ends with the abort's own error", async () => {
  const ending = new AbortController();
  const { fetch } = over(async () => {
    ending.abort(new Error("out of time"));
    throw ending.signal.reason;
  });
  expect(await rejection(fetch("https://api.test/", { signal: ending.signal }))).toEqual(
    new Error("out of time"),
  );
});
