import { expect, test } from "bun:test";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { createGzip, gzipSync } from "node:zlib";
import { lazyFetch } from "../../src/runtime/lazy-fetch.ts";
import { closing } from "./closing.ts";
import { startTarget } from "./target.ts";

// A compressed answer that does not come to its end, or is not read to it.

const keep = closing();
const packed = gzipSync(crypto.getRandomValues(new Uint8Array(50_000)));
const head = { "content-encoding": "gzip" };

async function answered(by: (outgoing: ServerResponse) => void, init: RequestInit = {}) {
  const target = keep(await startTarget((_, outgoing) => by(outgoing)));
  return lazyFetch(new URL(target.url), init);
}

test("the length of what is packed is not taken for that of what it holds", async () => {
  const answer = await answered((outgoing) =>
    outgoing.writeHead(200, { ...head, "content-length": packed.length }).end(packed),
  );
  expect(answer.headers.has("content-length")).toBe(false);
  expect(await answer.bytes()).toHaveLength(50_000);
});

test.each<[string, (outgoing: ServerResponse) => void]>([
  ["whose packing has no end", (outgoing) => outgoing.end(packed.subarray(0, 20_000))],
  ["that is no packing", (outgoing) => outgoing.end("words")],
  [
    "whose connection breaks",
    (outgoing) => outgoing.write(packed.subarray(0, 20_000), () => outgoing.destroy()),
  ],
])("one %s is a failure, and no shorter answer", async (_, end) => {
  const answer = await answered((outgoing) => end(outgoing.writeHead(200, head)));
  await expect(answer.bytes()).rejects.toThrow();
});

test("one whose reader is told to stop fails with its reason", async () => {
  const stopping = new AbortController();
  const answer = await answered(
    (outgoing) => void outgoing.writeHead(200, head).write(packed.subarray(0, 20_000)),
    { signal: stopping.signal },
  );
  const reader = answer.body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  stopping.abort(new Error("enough"));
  const rest = async () => {
    while (!(await reader?.read())?.done);
  };
  await expect(rest()).rejects.toThrow("enough");
});

test("one that is let go, read in part or not at all, is sent no further", async () => {
  for (const parts of [0, 1]) {
    const ended = Promise.withResolvers<void>();
    const answer = await answered((outgoing) => {
      const packing = createGzip();
      packing.pipe(outgoing.writeHead(200, head));
      const more = () => void packing.write(crypto.getRandomValues(new Uint8Array(60_000)));
      packing.on("drain", more);
      more();
      void once(outgoing, "close").then(() => {
        packing.destroy();
        ended.resolve();
      });
    });
    const reader = answer.body?.getReader();
    for (let part = 0; part < parts; part++) await reader?.read();
    await reader?.cancel();
    await ended.promise;
  }
});
