import { describe, expect, test } from "bun:test";
import { openAsBlob } from "node:fs";
import { failure, networkTrial } from "./network-trial.ts";
import {
  type CountingProxy,
  type ProxyBehaviour,
  startHttpProxy,
  startSocksProxy,
} from "./proxies.ts";
import { startTarget } from "./target.ts";

const { keep, network } = networkTrial();

const kinds: Record<string, (behaviour: ProxyBehaviour) => Promise<CountingProxy>> = {
  http: (behaviour) => startHttpProxy(behaviour),
  https: (behaviour) => startHttpProxy({ ...behaviour, tls: true }),
  socks5: (behaviour) => startSocksProxy(behaviour, "socks5"),
  socks5h: (behaviour) => startSocksProxy(behaviour, "socks5h"),
  socks: (behaviour) => startSocksProxy(behaviour, "socks"),
};

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
