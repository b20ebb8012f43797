import { describe, expect, test } from "bun:test";
import { BodyTooLarge, readBody } from "../../src/net/body.ts";

/** A body of pieces of this many bytes, and what became of it. */
function pieces(sizes: number[], headers: Record<string, string> = {}) {
  const left = [...sizes];
  const source = { read: 0, released: false };
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const size = left.shift();
        if (size === undefined) return controller.close();
        controller.enqueue(new Uint8Array(size).fill(++source.read));
      },
      cancel: () => void (source.released = true),
    },
    { highWaterMark: 0 },
  );
  return { source, response: new Response(body, { headers }) };
}

test("a body is read whole, in order, up to its limit", async () => {
  const { response } = pieces([2, 0, 3]);
  expect([...(await readBody(response, 5))]).toEqual([1, 1, 3, 3, 3]);
});

test("without a body there are no bytes", async () => {
  expect(await readBody(new Response(null), 5)).toHaveLength(0);
  expect(await readBody(pieces([]).response, 0)).toHaveLength(0);
});

describe("a body over its limit is refused and let go of", () => {
  test("unread, where its length says so", async () => {
    const { source, response } = pieces([6, 6], { "content-length": "6" });
    await expect(readBody(response, 5)).rejects.toThrow(new BodyTooLarge(5));
    expect(source).toEqual({ read: 0, released: true });
  });

  test("as soon as it is known, where its length says nothing or something else", async () => {
    for (const length of [undefined, "5", "0", "many"]) {
      const { source, response } = pieces(
        [3, 3, 3, 3],
        length === undefined ? {} : { "content-length": length },
      );
      await expect(readBody(response, 5)).rejects.toBeInstanceOf(BodyTooLarge);
      expect(source).toEqual({ read: 2, released: true });
    }
  });
});

test("a body of exactly its declared length and limit passes", async () => {
  const { response } = pieces([5], { "content-length": "5" });
  expect(await readBody(response, 5)).toHaveLength(5);
});

test("a body that breaks off is none", async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new Uint8Array(2));
      controller.error(new Error("broke off"));
    },
  });
  await expect(readBody(new Response(body), 5)).rejects.toThrow("broke off");
});
