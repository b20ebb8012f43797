import type { GroupMetadata } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import { BoundedCache } from "./bounded-cache.ts";
import type { Asked } from "./placeholder-requests.ts";
import { Resends } from "./resends.ts";
import { RetryRequests } from "./retry-requests.ts";

const HOUR_MS = 3_600_000;

/** What outlives one connection: who has which devices, what was asked for again, how often, who is in a group. */
export interface Caches {
  devices: BoundedCache<unknown>;
  retries: BoundedCache<unknown>;
  placeholders: BoundedCache<unknown>;
  asked: BoundedCache<Asked>;
  calls: BoundedCache<unknown>;
  groups: BoundedCache<GroupMetadata>;
  resends: Resends;
  requests: RetryRequests;
}

export function createCaches(clock: Clock): Caches {
  const cache = <V>(most: number, ttlMs: number) => new BoundedCache<V>({ clock, most, ttlMs });
  return {
    devices: cache(5000, 24 * HOUR_MS),
    retries: cache(5000, HOUR_MS),
    placeholders: cache(1000, HOUR_MS),
    asked: cache(5000, 48 * HOUR_MS),
    calls: cache(200, HOUR_MS / 12),
    groups: cache(500, HOUR_MS / 6),
    resends: new Resends(clock),
    requests: new RetryRequests(clock),
  };
}

/** Baileys reads its caches by a type of its own choosing. */
export function asBaileysCache(cache: BoundedCache<unknown>) {
  return {
    get: <T>(key: string) => cache.get(key) as T | undefined,
    set: <T>(key: string, value: T) => cache.set(key, value),
    del: (key: string) => cache.del(key),
    flushAll: () => cache.flushAll(),
  };
}
