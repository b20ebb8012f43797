import type { Env } from "hono";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { BlankEnv, BlankSchema } from "hono/types";

/**
 * Hono for a handful of routes, without a router that compiles them. Its `tiny` preset is as small, but takes "/health/"
 * for "/health" and a prefix for an expression.
 */
export class Routes<E extends Env = BlankEnv> extends HonoBase<E, BlankSchema, "/"> {
  constructor() {
    super();
    this.router = new TrieRouter();
  }
}
