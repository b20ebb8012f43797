import { describe, expect, test } from "bun:test";
import { createServer, type Socket } from "node:net";
import {
  download,
  DownloadFailure,
  type DownloadFault,
  type DownloadOptions,
  withinOrigin,
} from "../../src/net/download.ts";
import type { Fetch } from "../../src/net/fetch.ts";
import { fakeClock } from "../support/clock.ts";
import { closing } from "./closing.ts";
import { listen, stop } from "./proxies.ts";
import { startTarget, type Target } from "./target.ts";

const keep = closing();

/** What became of it: the text, or the code of the failure. */
async function outcome(options: DownloadOptions): Promise<string> {
  try {
    return await new Response((await download(options)).body).text();
  } catch (error) {
    if (error instanceof DownloadFailure) return `refused: ${error.code}`;
    return `threw: ${error instanceof Error ? error.message : String(error)}`;
  }
}

function from(target: { url: string }, more: Partial<DownloadOptions> = {}): DownloadOptions {
  return {
    url: `${target.url}/file`,
    fetch: globalThis.fetch,
    allows: withinOrigin(target.url),
    bearer: "the-token",
    maxBytes: 1000,
    ...more,
  };
}

function redirecting(location: (target: Target) => string): Promise<Target> {
  const made = startTarget((incoming, outgoing) => {
    if (incoming.url === "/end") return void outgoing.end("arrived");
    void made.then((target) => outgoing.writeHead(302, { location: location(target) }).end());
  });
  return made;
}

/** A server that writes these bytes to everybody, and then hangs up or not. */
async function rawServer(
  bytes: string,
  hangUp: boolean,
): Promise<{ url: string; close(): Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("data", () => (hangUp ? socket.end(bytes) : socket.write(bytes)));
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, close: () => stop(server, sockets) };
}

test("a file arrives, with its type", async () => {
  const target = keep(
    await startTarget((_, outgoing) => {
      outgoing.setHeader("content-type", "Image/PNG ; charset=x");
      outgoing.setHeader("content-length", "5");
      outgoing.end("bytes");
    }),
  );
  const got = await download(from(target));
  expect(got).toMatchObject({ mimeType: "image/png" });
  expect(await new Response(got.body).text()).toBe("bytes");
  expect(target.seen[0]?.headers["authorization"]).toBe("Bearer the-token");
});

test("without a bearer none is sent", async () => {
  const target = keep(await startTarget((_, outgoing) => void outgoing.end("bytes")));
  const { bearer: _, ...bare } = from(target);
  expect(await outcome(bare)).toBe("bytes");
  expect(target.seen[0]?.headers).not.toHaveProperty("authorization");
});

describe("redirects", () => {
  test("within the origin are followed, with the bearer", async () => {
    const target = keep(await redirecting(() => "/end"));
    expect(await outcome(from(target))).toBe("arrived");
    expect(target.seen.map((it) => it.headers["authorization"])).toEqual([
      "Bearer the-token",
      "Bearer the-token",
    ]);
  });

  test("to another host are refused and nobody sees the bearer", async () => {
    const evil = keep(await startTarget());
    for (const location of [
      evil.url,
      evil.url.replace("http:", ""),
      evil.url.replace("127.0.0.1", "localhost"),
      evil.url.replace("http://", "http://127.0.0.1@"),
    ]) {
      const target = keep(await redirecting(() => location));
      expect([location, await outcome(from(target))]).toEqual([
        location,
        "refused: redirect_refused",
      ]);
    }
    expect(evil.connections).toBe(0);
  });

  test("to an allowed other host come without the bearer", async () => {
    const other = keep(await startTarget((_, outgoing) => void outgoing.end("arrived")));
    const target = keep(await redirecting(() => `${other.url}/end`));
    expect(await outcome(from(target, { allows: () => true }))).toBe("arrived");
    expect(other.seen[0]?.headers["authorization"]).toBeUndefined();
    expect(other.seen[0]?.headers).not.toContainKey("cookie");
  });

  test("end after three", async () => {
    const target = keep(await redirecting(() => "/again"));
    expect(await outcome(from(target))).toBe("refused: too_many_redirects");
    expect(target.seen).toHaveLength(1 + 3);
  });

  test("without a target, or with a malformed one, are refused", async () => {
    const empty = keep(await startTarget((_, outgoing) => void outgoing.writeHead(302).end()));
    expect(await outcome(from(empty))).toBe("refused: status");
    const malformed = keep(await redirecting(() => "http://[half"));
    expect(await outcome(from(malformed))).toBe("refused: redirect_refused");
  });
});

describe("addresses", () => {
  const asked: string[] = [];
  const script =
    (locations: Record<string, string>): Fetch =>
    async (url) => {
      asked.push(String(url));
      const location = locations[String(url)];
      return location === undefined
        ? new Response("arrived")
        : new Response(null, { status: 302, headers: { location } });
    };
  test.each<[name: string, url: string, more: Partial<DownloadOptions>, expected: string]>([
    ["https", "https://cdn.test/a", {}, "arrived"],
    ["http", "http://cdn.test/a", {}, "refused: address_refused"],
    ["http to loopback", "http://127.0.0.1/a", {}, "arrived"],
    ["another scheme", "file:///etc/passwd", {}, "refused: address_refused"],
    ["another scheme, to loopback", "ftp://127.0.0.1/a", {}, "refused: address_refused"],
    ["data", "data:text/plain,x", {}, "refused: address_refused"],
    ["malformed", "https://", {}, "refused: address_refused"],
    ["credentials", "https://u:p@cdn.test/a", {}, "refused: address_refused"],
    ["a redirect down to http", "https://cdn.test/http", {}, "refused: redirect_refused"],
    [
      "not an allowed host",
      "https://cdn.test/a",
      { allows: () => false },
      "refused: address_refused",
    ],
  ])("%s", async (_, url, more, expected) => {
    asked.length = 0;
    const got = await outcome({
      url,
      fetch: script({ "https://cdn.test/http": "http://cdn.test/a" }),
      allows: () => true,
      maxBytes: 100,
      ...more,
    });
    expect(got).toBe(expected);
    expect(asked).toHaveLength(expected === "arrived" || expected.includes("redirect") ? 1 : 0);
  });
});

describe("lengths", () => {
  test("a declared length over the limit is refused at once", async () => {
    const target = keep(await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", false));
    expect(await outcome(from(target))).toBe("refused: too_large");
  });

  test("an endless body is cut off at the limit", async () => {
    let gone = () => {};
    const left = new Promise<void>((resolve) => (gone = resolve));
    const target = keep(
      await startTarget((_, outgoing) => {
        const more = () => {
          while (outgoing.write("x".repeat(4096)));
        };
        outgoing.on("drain", more).on("close", gone);
        more();
      }),
    );
    expect(await outcome(from(target))).toBe("refused: too_large");
    await left;
  });

  test("a body of exactly the limit passes", async () => {
    const target = keep(await startTarget((_, outgoing) => void outgoing.end("x".repeat(1000))));
    expect(await outcome(from(target))).toBe("x".repeat(1000));
  });

  test("a body shorter than its length is no file", async () => {
    const target = keep(
      await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf", true),
    );
    expect(await outcome(from(target))).toMatch(/^refused: (truncated|network)$/);
  });

  test("a body longer than its length ends at its length", async () => {
    const target = keep(
      await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhalf and more", true),
    );
    expect(await outcome(from(target))).toBe("half");
  });

  test("a chunked body that breaks off is no file", async () => {
    const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    const target = keep(await rawServer(`${head}4\r\nhalf\r\n`, true));
    expect(await outcome(from(target))).toMatch(/^refused: (truncated|network)$/);
  });

  test("a server that does not let itself be read whole is cut short", async () => {
    const lying: Fetch = async () =>
      new Response(new Blob(["half"]).stream(), { headers: { "content-length": "100" } });
    expect(await outcome({ ...from({ url: "https://a.test" }), fetch: lying })).toBe(
      "refused: truncated",
    );
  });
});

describe("time", () => {
  test("a server that stalls is left", async () => {
    const clock = fakeClock();
    const target = keep(
      await rawServer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nsome", false),
    );
    const got = await download(from(target, { clock, idleMs: 500, totalMs: 10_000 }));
    const reader = got.body.getReader();
    expect((await reader.read()).value).toHaveLength(4);
    const next = reader.read();
    await clock.advance(499);
    await clock.advance(1);
    await expect(next).rejects.toMatchObject({ code: "timeout" });
    expect(clock.pending).toBe(0);
  });

  test("a server that trickles for ever is left", async () => {
    const clock = fakeClock();
    const trickling: Fetch = async () =>
      new Response(
        new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(1)) }),
      );
    const options = {
      ...from({ url: "https://a.test" }),
      fetch: trickling,
      clock,
      idleMs: 500,
      totalMs: 1000,
    };
    const reader = (await download(options)).body.getReader();
    await reader.read();
    await clock.advance(1000);
    await expect(reader.read()).rejects.toMatchObject({ code: "timeout" });
  });

  test("a server that never answers is left", async () => {
    const clock = fakeClock();
    let arrived = () => {};
    const waiting = new Promise<void>((resolve) => (arrived = resolve));
    const target = keep(await startTarget(() => arrived()));
    const got = outcome(from(target, { clock, totalMs: 1000 }));
    await waiting;
    await clock.advance(1000);
    expect(await got).toBe("refused: timeout");
  });

  test("the caller's own signal ends it with its own reason", async () => {
    const stopping = new AbortController();
    const target = keep(await startTarget(() => stopping.abort(new Error("enough"))));
    expect(await outcome(from(target, { signal: stopping.signal }))).toBe("threw: enough");
  });
});

test("an answer other than 200 is no file", async () => {
  for (const status of [204, 206, 304, 401, 404, 500]) {
    const target = keep(await startTarget((_, outgoing) => void outgoing.writeHead(status).end()));
    await expect(download(from(target))).rejects.toMatchObject({ code: "status", status });
  }
});

test.each<[DownloadFault, number | null, boolean]>([
  ["network", null, true],
  ["truncated", null, true],
  ["status", 408, true],
  ["status", 500, true],
  ["status", 503, true],
  ["status", 499, false],
  ["status", 404, false],
  ["status", 429, false],
  ["timeout", null, false],
  ["too_large", null, false],
  ["address_refused", null, false],
])("%s %p may pass a moment later: %p", (code, status, passes) => {
  expect(new DownloadFailure(code, "", status).mayPass).toBe(passes);
});
