import type { Env } from "hono";
import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import type { BlankEnv, BlankSchema } from "hono/types";
import { getPath } from "hono/utils/url";

/**
 * Hono for a handful of routes, without a router that compiles them. Its `tiny` preset is as small, but takes "/health/"
 * for "/health" and a prefix for an expression.
 */
export class Routes<E extends Env = BlankEnv> extends HonoBase<E, BlankSchema, "/"> {
  /** `pathOf` finds the path that the routes go by; as the request has it where none is given. */
  constructor(pathOf: (request: Request) => string = getPath) {
    super({ getPath: pathOf });
    this.router = new TrieRouter();
  }
}

/** What lies below `prefix`, which is taken to the letter; whatever is not below it finds no route. */
export function pathBelow(prefix: string): (request: Request) => string {
  if (prefix === "") return getPath;
  const start = `${getPath(new Request(`http://localhost${prefix}`))}/`;
  return (request) => {
    const path = getPath(request);
    return path.startsWith(start) ? path.slice(start.length - 1) : "//";
  };
}
