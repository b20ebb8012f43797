import { expect, test } from "bun:test";
import { AgentError } from "../../src/agent/agent.ts";
import { providerFetch } from "../../src/agent/provider-fetch.ts";
import { fakeClock } from "../support/clock.ts";
import { rejection } from "../support/rejection.ts";

/** The fetch that a provider's SDK is given, over one that answers so. */
function over(answer: (init: RequestInit | undefined) => Response | Promise<Response>) {
  const asked: { url: string; init: RequestInit | undefined }[] = [];
  const clock = fakeClock();
  const direct = async (url: string | URL, init?: RequestInit) => {
    asked.push({ url: String(url), init });
    return answer(init);
  };
  return { fetch: providerFetch(direct, "openai", clock), asked, clock };
}

test("an answer is handed on with its status, headers and body", async () => {
  const { fetch, asked, clock } = over(
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
    await clock.advance(3_000);
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

const busy = (status: number, headers: Record<string, string>) =>
  new Response(null, { status, headers });

test.each<[string, number, Record<string, string>, number]>([
  ["seconds", 429, { "retry-after": "20" }, 20_000],
  ["of a provider in trouble", 503, { "retry-after": "20" }, 20_000],
  ["milliseconds", 429, { "retry-after": "1", "retry-after-ms": "250" }, 250],
  ["a whole day, of which a minute is kept", 429, { "retry-after": "86400" }, 60_000],
])("a provider is asked no sooner than it says: %s", async (_, status, headers, ms) => {
  const answers = [busy(status, headers), new Response("words"), new Response("words")];
  const { fetch, asked, clock } = over(() => answers.shift() ?? new Response("words"));
  expect((await fetch("https://api.test/")).status).toBe(status);
  // Of whatever turn: the limit is the account's.
  const others = Promise.all([fetch("https://api.test/1"), fetch("https://api.test/2")]);
  await clock.advance(ms - 1);
  expect(asked).toHaveLength(1);
  await clock.advance(1);
  expect((await others).map((answer) => answer.status)).toEqual([200, 200]);
  await fetch("https://api.test/3");
  expect([asked.length, clock.pending]).toEqual([4, 0]);
});

test.each([200, 401])("status %d asks for no wait", async (status) => {
  const { fetch, asked } = over(() => busy(status, { "retry-after": "20" }));
  await fetch("https://api.test/");
  await fetch("https://api.test/");
  expect(asked).toHaveLength(2);
});

test("an answer that was under way takes no wait back", async () => {
  const slow = Promise.withResolvers<Response>();
  const answers = [slow.promise, busy(429, { "retry-after": "20" })];
  const { fetch, asked, clock } = over(() => answers.shift() ?? new Response("words"));
  const first = fetch("https://api.test/1");
  await fetch("https://api.test/2");
  slow.resolve(new Response("words"));
  expect((await first).status).toBe(200);
  const third = fetch("https://api.test/3");
  await clock.advance(19_999);
  expect(asked).toHaveLength(2);
  await clock.advance(1);
  expect((await third).status).toBe(200);
});

test("a clock that is set back makes no wait longer than a minute", async () => {
  const answers = [busy(429, { "retry-after": "20" })];
  const { fetch, asked, clock } = over(() => answers.shift() ?? new Response("words"));
  await fetch("https://api.test/");
  const { now } = clock;
  Object.assign(clock, { now: () => now() - 3_600_000 });
  const waiting = fetch("https://api.test/");
  await clock.advance(60_000);
  expect((await waiting).status).toBe(200);
  expect(asked).toHaveLength(2);
});

test("a turn whose time is up waits no longer", async () => {
  const { fetch, asked, clock } = over(() => busy(429, { "retry-after": "20" }));
  await fetch("https://api.test/");
  const ending = new AbortController();
  const waiting = rejection(fetch("https://api.test/", { signal: ending.signal }));
  ending.abort(new Error("out of time"));
  expect(await waiting).toEqual(new Error("out of time"));
  expect([asked.length, clock.pending]).toEqual([1, 0]);
});

test("a clock that was set back makes nobody wait twice", async () => {
  const answers = [new Response(null, { status: 429, headers: { "retry-after": "60" } })];
  const clock = fakeClock();
  let offset = 86_400_000;
  let asked = 0;
  const fetch = providerFetch(
    async () => {
      asked++;
      return answers.shift() ?? new Response("words");
    },
    "openai",
    { now: () => clock.now() + offset, after: clock.after },
  );
  await fetch("https://api.test/");
  offset = 0;
  for (const [wait, calls] of [
    [60_000, 2],
    [0, 3],
  ] as const) {
    const answer = fetch("https://api.test/");
    await clock.advance(wait);
    expect(asked).toBe(calls);
    await answer;
  }
});

test("of two wishes the later holds, also for turns that wait already", async () => {
  const slow = Promise.withResolvers<Response>();
  const later = (seconds: string) =>
    new Response(null, { status: 429, headers: { "retry-after": seconds } });
  const answers: (Response | Promise<Response>)[] = [slow.promise, later("10")];
  const { fetch, asked, clock } = over(() => answers.shift() ?? new Response("words"));
  const first = fetch("https://api.test/");
  await fetch("https://api.test/");
  const waiting = fetch("https://api.test/");
  await clock.advance(5_000);
  slow.resolve(later("30"));
  await first;
  await clock.advance(29_000);
  expect(asked).toHaveLength(2);
  await clock.advance(1_000);
  await waiting;

  const another = Promise.withResolvers<Response>();
  answers.push(another.promise, later("10"));
  const second = fetch("https://api.test/");
  await fetch("https://api.test/");
  another.resolve(later("1"));
  await second;
  void fetch("https://api.test/");
  await clock.advance(9_000);
  expect(asked).toHaveLength(5);
  await clock.advance(1_000);
  expect(asked).toHaveLength(6);
});
