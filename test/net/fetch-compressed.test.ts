import { describe, expect, test } from "bun:test";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";
import { BodyTooLarge, readBody } from "../../src/net/body.ts";
import { failure, networkTrial } from "./network-trial.ts";
import { startHttpProxy } from "./proxies.ts";
import { startTarget } from "./target.ts";

const { keep, network } = networkTrial();

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
