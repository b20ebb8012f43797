import { expect, test } from "bun:test";
import { BoundedCache } from "../../../src/channels/whatsapp-web/bounded-cache.ts";
import { fakeClock } from "../../support/clock.ts";

test("a cache forgets by age and by number", async () => {
  const clock = fakeClock();
  const cache = new BoundedCache<number>({ clock, most: 2, ttlMs: 1000 });
  cache.set("a", 1);
  cache.set("b", 2);
  cache.set("c", 3);
  expect([cache.get("a"), cache.get("b"), cache.size]).toEqual([undefined, 2, 2]);
  await clock.advance(1000);
  expect([cache.get("b"), cache.get("c")]).toEqual([undefined, undefined]);
});
