import { describe, expect, test } from "bun:test";
import { download, type DownloadOptions } from "../../src/net/download.ts";
import { fakeClock } from "../support/clock.ts";

/** An answer that never ends, and whether its reader let go of it. */
function endless(status: number, headers: Record<string, string> = {}) {
  const answer = {
    released: false,
    response: () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(8)),
          cancel: () => void (answer.released = true),
        }),
        { status, headers },
      ),
  };
  return answer;
}

function asked(fetch: DownloadOptions["fetch"], more: Partial<DownloadOptions> = {}) {
  const clock = fakeClock();
  const options: DownloadOptions = {
    url: "https://files.test/a",
    fetch,
    allows: (url) => url.hostname === "files.test",
    maxBytes: 100,
    clock,
    ...more,
  };
  return { clock, got: download(options) };
}

describe("a file that is not read leaves no connection and no timer", () => {
  test.each<[name: string, status: number, headers: Record<string, string>, code: string]>([
    ["the wrong status", 404, {}, "status"],
    ["a length over the limit", 200, { "content-length": "101" }, "too_large"],
    ["a redirect without a target", 302, {}, "status"],
    ["a redirect elsewhere", 302, { location: "https://other.test/" }, "redirect_refused"],
  ])("%s", async (_, status, headers, code) => {
    const answer = endless(status, headers);
    const { clock, got } = asked(async () => answer.response());
    await expect(got).rejects.toMatchObject({ code });
    expect([answer.released, clock.pending]).toEqual([true, 0]);
  });

  test("a server that is not reached", async () => {
    const { clock, got } = asked(async () => {
      throw Object.assign(new Error("https://files.test/a?key=k"), { code: "ECONNREFUSED" });
    });
    await expect(got).rejects.toMatchObject({
      code: "network",
      message: "the server could not be read: ECONNREFUSED",
    });
    expect(clock.pending).toBe(0);
  });

  test("a body longer than the limit", async () => {
    const answer = endless(200);
    const { clock, got } = asked(async () => answer.response());
    const { body } = await got;
    await expect(new Response(body).arrayBuffer()).rejects.toMatchObject({ code: "too_large" });
    expect([answer.released, clock.pending]).toEqual([true, 0]);
  });

  test("a body that its reader lets go of", async () => {
    const answer = endless(200);
    const { clock, got } = asked(async () => answer.response());
    const reader = (await got).body.getReader();
    await reader.read();
    await reader.cancel();
    expect([answer.released, clock.pending]).toEqual([true, 0]);
  });
});

test("a file that was read leaves no timer", async () => {
  const { clock, got } = asked(async () => new Response("bytes"));
  expect(await new Response((await got).body).text()).toBe("bytes");
  expect(clock.pending).toBe(0);
});

test("a file read slower than its server sends is not given up for the idle time", async () => {
  const answer = endless(200);
  const { clock, got } = asked(async () => answer.response(), { idleMs: 500, totalMs: 10_000 });
  const reader = (await got).body.getReader();
  for (let read = 0; read < 3; read++) {
    expect((await reader.read()).value).toHaveLength(8);
    // Only that of the whole.
    expect(clock.pending).toBe(1);
    await clock.advance(600);
  }
});

describe("a body that stalls", () => {
  const stalled = () => new Response(new ReadableStream({}));

  test.each<[name: string, after: number, limits: Partial<DownloadOptions>, words: string]>([
    ["for the idle time", 20_000, {}, "the server sent nothing for too long"],
    ["beyond the time of the whole", 120_000, { idleMs: 999_999 }, "the file took too long"],
  ])("%s is left", async (_, after, limits, words) => {
    const { clock, got } = asked(async () => stalled(), limits);
    const read = new Response((await got).body).arrayBuffer();
    read.catch(() => {});
    await clock.advance(after - 1);
    expect(clock.pending).toBe(2);
    await clock.advance(1);
    await expect(read).rejects.toMatchObject({ code: "timeout", message: words });
    expect(clock.pending).toBe(0);
  });

  test("is left as soon as the caller says so, with its reason", async () => {
    const caller = new AbortController();
    const { clock, got } = asked(async () => stalled(), { signal: caller.signal });
    const read = new Response((await got).body).arrayBuffer();
    caller.abort(new Error("enough"));
    await expect(read).rejects.toThrow("enough");
    expect(clock.pending).toBe(0);
  });
});

describe("what the server says of its file", () => {
  const told = async (headers: Record<string, string>) => {
    const { got } = asked(async () => new Response(new Blob(["bytes"]).stream(), { headers }));
    const { mimeType, body } = await got;
    return { mimeType, text: await new Response(body).text() };
  };

  test("no body at all is an empty file", async () => {
    const { got } = asked(async () => new Response(null));
    expect(await new Response((await got).body).text()).toBe("");
  });

  test("nothing", async () => {
    expect(await told({})).toEqual({ mimeType: null, text: "bytes" });
  });

  test.each(["", "-1", "1e9", "5, 5", "9".repeat(16)])("a length of %p is none", async (length) => {
    expect((await told({ "content-length": length })).text).toBe("bytes");
  });

  test("the length of what was packed is not that of the file", async () => {
    const headers = { "content-length": "50", "content-encoding": "gzip" };
    expect((await told(headers)).text).toBe("bytes");
  });

  test("identity is no packing", async () => {
    const headers = { "content-length": "50", "content-encoding": "identity" };
    await expect(told(headers)).rejects.toMatchObject({ code: "truncated" });
  });
});

test.each(["name", ":password"])("an address with %p before its host is refused", async (login) => {
  const { got } = asked(async () => new Response("bytes"), {
    url: `https://${login}@files.test/a`,
  });
  await expect(got).rejects.toMatchObject({ code: "address_refused" });
});

describe("why a file was not read is said in words", () => {
  test.each([
    ["http://files.test/a", "the address is not https"],
    ["https://", "the address is malformed"],
    ["https://ada:pass@files.test/a", "the address carries credentials"],
    ["https://other.test/a", "the address leads to another host"],
  ])("%s: %s", async (url, words) => {
    const { got } = asked(async () => new Response("bytes"), { url });
    await expect(got).rejects.toThrow(expect.objectContaining({ message: words }));
  });

  test.each<[status: number, headers: Record<string, string>, words: string]>([
    [404, {}, "the server answered 404"],
    [302, {}, "a redirect without a target"],
    [302, { location: "/again" }, "more than 3 redirects"],
    [200, { "content-length": "101" }, "the file is larger than 100 bytes"],
    [200, { "content-length": "6" }, "the file ended before its length"],
  ])("status %d, %o: %s", async (status, headers, words) => {
    const answer = () => new Response(new Blob(["bytes"]).stream(), { status, headers });
    const { got } = asked(async () => answer());
    const read = got.then(({ body }) => new Response(body).text());
    await expect(read).rejects.toThrow(expect.objectContaining({ message: words }));
  });
});
