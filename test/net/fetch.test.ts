import { describe, expect, test } from "bun:test";
import { openAsBlob } from "node:fs";
import { createRequire } from "node:module";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import * as v from "valibot";
import { configSchema } from "../../src/config/schema.ts";
import { BodyTooLarge, readBody } from "../../src/net/body.ts";
import { createNetwork, type Network } from "../../src/net/fetch.ts";
import { networkErrorCode } from "../../src/net/network-error.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { closing } from "./closing.ts";
import { testCertificate } from "./certificate.ts";
import {
  type CountingProxy,
  type ProxyBehaviour,
  startHttpProxy,
  startSocksProxy,
} from "./proxies.ts";
import { startTarget } from "./target.ts";

const keep = closing();

function network(
  proxyUrl: string | undefined,
  extra: { env?: Record<string, string>; resolve?: () => Promise<string> } = {},
): Network {
  return keep(
    createNetwork({
      config: v.parse(configSchema, {
        channels_config: { whatsapp: { proxy_url: proxyUrl }, wati: {} },
      }),
      env: extra.env ?? {},
      log: silentLog,
      ca: [testCertificate.cert],
      resolve: extra.resolve ?? (async () => "127.0.0.1"),
    }),
  );
}

const kinds: Record<string, (behaviour: ProxyBehaviour) => Promise<CountingProxy>> = {
  http: (behaviour) => startHttpProxy(behaviour),
  https: (behaviour) => startHttpProxy({ ...behaviour, tls: true }),
  socks5: (behaviour) => startSocksProxy(behaviour, "socks5"),
  socks5h: (behaviour) => startSocksProxy(behaviour, "socks5h"),
  socks: (behaviour) => startSocksProxy(behaviour, "socks"),
};

async function failure(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return networkErrorCode(error);
  }
  return "none";
}

for (const [kind, start] of Object.entries(kinds)) {
  for (const tls of [false, true]) {
    for (const credentials of [undefined, "us%40er:p%3Ass"]) {
      const behaviour: ProxyBehaviour = credentials
        ? { credentials: decodeURIComponent(credentials) }
        : {};
      const name = `${kind} proxy, ${credentials ? "with" : "no"} credentials, ${tls ? "https" : "http"} target`;
      const make = async () => {
        const proxy = keep(await start(behaviour));
        const target = keep(await startTarget(undefined, { tls }));
        const url = credentials
          ? proxy.url.replace(decodeURIComponent(credentials), credentials)
          : proxy.url;
        return { proxy, target, fetch: network(url).fetchFor("channel.whatsapp") };
      };

      describe(name, () => {
        test("GET goes by the proxy", async () => {
          const { proxy, target, fetch } = await make();
          const answer = await fetch(`${target.url}/hello`);
          expect(answer).toBeInstanceOf(Response);
          expect(await answer.json()).toEqual({ method: "GET", path: "/hello", length: 0 });
          expect(proxy.asked).toHaveLength(1);
          expect(target.connections).toBe(1);
        });

        test("a form keeps its parts and its length", async () => {
          const { target, fetch } = await make();
          const form = new FormData();
          form.set("messaging_product", "whatsapp");
          form.set("file", new Blob([new Uint8Array(100_000)], { type: "audio/ogg" }), "note.ogg");
          const answer = await fetch(`${target.url}/media`, { method: "POST", body: form });
          expect(answer.status).toBe(200);
          const seen = target.seen[0];
          expect(seen?.headers["content-type"]).toStartWith("multipart/form-data; boundary=");
          expect(Number(seen?.headers["content-length"])).toBe(seen?.body.length ?? 0);
          expect(seen?.body).toContain('filename="note.ogg"');
          expect(seen?.body).toContain("audio/ogg");
        });
      });
    }
  }

  describe(`${kind} proxy`, () => {
    test("bodies stream both ways", async () => {
      const proxy = keep(await start({}));
      let finish = () => {};
      const target = keep(
        await startTarget((_, outgoing) => {
          outgoing.write("first");
          finish = () => outgoing.end("last");
        }),
      );
      const fetch = network(proxy.url).fetchFor("channel.whatsapp");
      const body = new Blob(["streamed"]).stream();
      const answer = await fetch(target.url, { method: "POST", body });
      const reader = answer.body?.getReader();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("first");
      finish();
      expect(new TextDecoder().decode((await reader?.read())?.value)).toBe("last");
      expect(target.seen[0]?.body).toBe("streamed");
    });

    test("a stream of known length keeps it, and a file is a part of a form", async () => {
      const proxy = keep(await start({}));
      const target = keep(await startTarget());
      const fetch = network(proxy.url).fetchFor("channel.whatsapp");
      const body = new Blob(["streamed"]).stream();
      await fetch(target.url, { method: "POST", body, headers: { "content-length": "8" } });
      expect(target.seen[0]?.headers["content-length"]).toBe("8");
      const form = new FormData();
      const file = await openAsBlob(import.meta.path, { type: "text/plain" });
      form.set("file", file, "test.ts");
      await fetch(target.url, { method: "POST", body: form });
      expect(target.seen[1]?.body.length).toBeGreaterThan(file.size);
      expect(target.seen[1]?.body).toContain("a file is a part of a form");
    });

    test("a redirect is handed over when asked for", async () => {
      const proxy = keep(await start({}));
      const target = keep(
        await startTarget((_, outgoing) => outgoing.writeHead(302, { location: "/other" }).end()),
      );
      const fetch = network(proxy.url).fetchFor("channel.whatsapp");
      const answer = await fetch(target.url, { redirect: "manual" });
      expect(answer.status).toBe(302);
      expect(answer.headers.get("location")).toBe("/other");
    });

    test("an answer without a body has none", async () => {
      const proxy = keep(await start({}));
      const target = keep(await startTarget((_, outgoing) => outgoing.writeHead(204).end()));
      const answer = await network(proxy.url).fetchFor("channel.whatsapp")(target.url);
      expect(answer.status).toBe(204);
      expect(answer.body).toBeNull();
    });

    test("abort ends a request that hangs", async () => {
      const proxy = keep(await start({}));
      const stopping = new AbortController();
      const target = keep(await startTarget(() => stopping.abort(new Error("enough"))));
      const fetch = network(proxy.url).fetchFor("channel.whatsapp");
      await expect(fetch(target.url, { signal: stopping.signal })).rejects.toThrow("enough");
    });

    test("a dead proxy fails, nothing goes out directly", async () => {
      const proxy = await start({});
      await proxy.close();
      for (const tls of [false, true]) {
        const target = keep(await startTarget(undefined, { tls }));
        const failed = await failure(network(proxy.url).fetchFor("channel.whatsapp")(target.url));
        expect(failed).toMatch(/^(ECONNREFUSED|proxy_unreachable)$/);
        expect(target.connections).toBe(0);
      }
    });

    test("a proxy that refuses fails, nothing goes out directly", async () => {
      const proxy = keep(await start({ refuse: kind.startsWith("socks") ? 2 : 403 }));
      const target = keep(await startTarget(undefined, { tls: true }));
      const failed = await failure(network(proxy.url).fetchFor("channel.whatsapp")(target.url));
      expect(failed).toMatch(/^proxy_(403|refused)$/);
      expect(proxy.asked.length).toBeGreaterThan(0);
      expect(target.connections).toBe(0);
    });

    test("wrong credentials fail, nothing goes out directly", async () => {
      const proxy = keep(await start({ credentials: "right:secret" }));
      for (const tls of [false, true]) {
        const target = keep(await startTarget(undefined, { tls }));
        const url = proxy.url.replace("right:secret", "wrong:guess");
        const failed = await failure(network(url).fetchFor("channel.whatsapp")(target.url));
        expect(failed).toMatch(/^proxy_(407|refused)$/);
        expect(target.connections).toBe(0);
      }
    });

    test("neither loopback nor NO_PROXY by-passes a channel's proxy", async () => {
      const proxy = keep(await start({}));
      const target = keep(await startTarget());
      const env = { NO_PROXY: "*", no_proxy: "127.0.0.1" };
      const before = process.env["NO_PROXY"];
      process.env["NO_PROXY"] = "*";
      try {
        await network(proxy.url, { env }).fetchFor("channel.whatsapp")(target.url);
      } finally {
        if (before === undefined) delete process.env["NO_PROXY"];
        else process.env["NO_PROXY"] = before;
      }
      expect(proxy.asked).toHaveLength(1);
    });
  });
}

test("a name that cannot be resolved here is no fault of the proxy", async () => {
  const proxy = keep(await startSocksProxy({}, "socks5"));
  const resolve = async () => {
    throw Object.assign(new Error("getaddrinfo EAI_AGAIN"), { code: "EAI_AGAIN" });
  };
  const { fetchFor } = network(proxy.url, { resolve });
  expect(await failure(fetchFor("channel.whatsapp")("http://target.test/"))).toBe("proxy_dns");
  expect(proxy.asked).toEqual([]);
});

test("socks5 resolves names here, socks5h leaves them to the proxy", async () => {
  const target = keep(await startTarget());
  const url = `http://target.test:${target.port}/`;
  const here = keep(await startSocksProxy({}, "socks5"));
  await network(here.url).fetchFor("channel.whatsapp")(url);
  expect(here.asked).toEqual([`SOCKS 127.0.0.1:${target.port}`]);
  const there = keep(await startSocksProxy({ hosts: { "target.test": "127.0.0.1" } }, "socks5h"));
  await network(there.url).fetchFor("channel.whatsapp")(url);
  expect(there.asked).toEqual([`SOCKS target.test:${target.port}`]);
});

test("the certificate behind a proxy is checked", async () => {
  for (const start of [kinds["http"], kinds["socks5h"]]) {
    const proxy = keep(await (start ?? startHttpProxy)({ hosts: { "other.test": "127.0.0.1" } }));
    const target = keep(await startTarget(undefined, { tls: true }));
    const fetch = network(proxy.url).fetchFor("channel.whatsapp");
    expect(await failure(fetch(`https://other.test:${target.port}/`))).toMatch(/CERT|HOSTNAME/);
    expect(target.seen).toHaveLength(0);
  }
});

test("a malformed proxy fails, nothing goes out directly", async () => {
  const target = keep(await startTarget());
  for (const url of ["ftp://127.0.0.1:1", "http://", "socks4://127.0.0.1:1"]) {
    expect(await failure(network(url).fetchFor("channel.whatsapp")(target.url))).toBe(
      "proxy_unusable",
    );
  }
  expect(target.connections).toBe(0);
});

test("an answer may take as long as its caller waits, in head and body", async () => {
  const undici: { tick(ms: number): void } = createRequire(import.meta.url)(
    "undici/lib/util/timers.js",
  );
  const pass = () => {
    // The first only starts the timers.
    undici.tick(1_000);
    undici.tick(600_000);
  };
  const answering: (() => void)[] = [];
  const target = keep(
    await startTarget((_, outgoing) => {
      answering.push(
        () => outgoing.write("al"),
        () => outgoing.end("most"),
      );
    }),
  );
  const { fetchFor } = network(undefined, { env: { HTTP_PROXY: "http://127.0.0.1:1" } });
  const asked = fetchFor("agent.webhook")(target.url);
  while (answering.length === 0) await Bun.sleep(1);
  pass();
  answering[0]?.();
  const answer = await asked;
  pass();
  answering[1]?.();
  expect(await answer.text()).toBe("almost");
});

describe("the direct way", () => {
  test("takes no proxy of the environment", async () => {
    const proxy = keep(await startHttpProxy());
    const target = keep(await startTarget());
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = proxy.url;
    try {
      const fetch = network(undefined, { env: { HTTP_PROXY: proxy.url } }).fetchFor("channel.wati");
      expect((await fetch(target.url)).status).toBe(200);
    } finally {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    }
    expect(proxy.asked).toEqual([]);
    expect(target.connections).toBe(1);
  });

  test("by no_proxy does not follow a redirect past the proxy", async () => {
    const proxy = keep(await startHttpProxy());
    const elsewhere = keep(await startTarget());
    const target = keep(
      await startTarget((_, outgoing) =>
        outgoing
          .writeHead(302, { location: elsewhere.url.replace("127.0.0.1", "localhost") })
          .end(),
      ),
    );
    const made = keep(
      createNetwork({
        config: v.parse(configSchema, {
          proxy: { enabled: true, all_proxy: proxy.url, no_proxy: ["127.0.0.1"] },
        }),
        env: {},
        log: silentLog,
      }),
    );
    await expect(made.fetchFor("provider.openai")(target.url)).rejects.toThrow();
    expect(
      (await made.fetchFor("provider.openai")(target.url, { redirect: "manual" })).status,
    ).toBe(302);
    expect(elsewhere.connections).toBe(0);
    expect(proxy.asked).toEqual([]);
  });
});

describe("a compressed answer", () => {
  const words = "words ".repeat(100);
  const ways = {
    "the direct way": { proxied: false, env: {} },
    "the direct way past the environment": {
      proxied: false,
      env: { HTTP_PROXY: "http://127.0.0.1:1" },
    },
    "a proxy": { proxied: true, env: {} },
  };
  const codings = {
    gzip: gzipSync(words),
    deflate: deflateSync(words),
    br: brotliCompressSync(words),
    zstd: zstdCompressSync(words),
    "X-GZIP": gzipSync(words),
  };

  for (const [way, { proxied, env }] of Object.entries(ways)) {
    /** The answer to a request, with what of its head is given. */
    async function answer(status: number, headers: Record<string, string>, body: Uint8Array) {
      const target = keep(
        await startTarget((_, outgoing) => outgoing.writeHead(status, headers).end(body)),
      );
      const proxy = proxied ? keep(await startHttpProxy()) : undefined;
      const { fetchFor } = network(proxy?.url, { env });
      const asked = fetchFor("channel.whatsapp")(target.url, {
        headers: { "Accept-Encoding": "gzip", "x-own": "1" },
        redirect: "manual",
      });
      return { asked, target };
    }

    test(`by ${way} is not asked for`, async () => {
      const { asked, target } = await answer(200, {}, Buffer.from(words));
      expect(await (await asked).text()).toBe(words);
      expect(target.seen[0]?.headers).toMatchObject({
        "accept-encoding": "identity",
        "x-own": "1",
      });
    });

    test.each(Object.entries(codings))(`by ${way}, as %s, is unpacked`, async (coding, body) => {
      const { asked } = await answer(200, { "content-encoding": coding }, body);
      const got = await asked;
      expect(await got.text()).toBe(words);
      if (way === "the direct way")
        expect([...got.headers.keys()]).not.toContain("content-encoding");
    });

    test(`by ${way} that is longer than what is read of it costs no memory`, async () => {
      const bomb = zstdCompressSync(Buffer.alloc(256 * 1024 * 1024));
      const head = { "content-encoding": "zstd" };
      const before = process.memoryUsage.rss();
      const read = await (await answer(200, head, bomb)).asked;
      await expect(readBody(read, 1024 * 1024)).rejects.toBeInstanceOf(BodyTooLarge);
      const unread = await (await answer(500, head, bomb)).asked;
      await unread.body?.cancel();
      expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
    });

    test(`by ${way} keeps its status and head`, async () => {
      for (const status of [302, 401, 503]) {
        const head = { "content-encoding": "gzip", "retry-after": "7" };
        const got = await (await answer(status, head, codings.gzip)).asked;
        expect([got.status, got.headers.get("retry-after")]).toEqual([status, "7"]);
        await got.body?.cancel();
      }
    });

    if (way === "the direct way") {
      test("in a coding that nobody here knows is refused", async () => {
        const { asked } = await answer(200, { "content-encoding": "dcb" }, Buffer.from(words));
        expect(await failure(asked)).toBe("unknown_coding");
      });
    }

    test(`by ${way} is one whose name says so: "identity" is none, nor is no body`, async () => {
      const plain = await answer(200, { "content-encoding": "Identity" }, Buffer.from(words));
      expect(await (await plain.asked).text()).toBe(words);
      for (const status of [200, 204]) {
        const length: Record<string, string> = status === 200 ? { "content-length": "0" } : {};
        const head = { "content-encoding": "gzip", ...length };
        const empty = await (await answer(status, head, Buffer.alloc(0))).asked;
        expect([empty.status, await empty.text()]).toEqual([status, ""]);
      }
    });
  }
});
