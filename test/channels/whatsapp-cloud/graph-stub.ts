import { createGraph, type Graph } from "../../../src/channels/whatsapp-cloud/graph.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { systemClock, type Clock } from "../../../src/runtime/clock.ts";

export interface Asked {
  method: string;
  path: string;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
  json(): unknown;
}

export interface GraphStub {
  url: string;
  asked: Asked[];
  graph: Graph;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A server on loopback that answers as the test says and keeps what it was asked. */
export function graphStub(
  answer: (asked: Asked, count: number) => Response | Promise<Response>,
  options: { clock?: Clock; fetch?: Fetch } = {},
): GraphStub {
  const asked: Asked[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const body = await request.bytes();
      const entry: Asked = {
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        body,
        json: () => JSON.parse(new TextDecoder().decode(body)),
      };
      asked.push(entry);
      return await answer(entry, asked.length);
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  const graph = createGraph({
    baseUrl: url,
    version: "v26.0",
    accessToken: "EAAtoken",
    fetch: options.fetch ?? ((target, init) => fetch(target, init)),
    clock: options.clock ?? systemClock,
  });
  return { url, asked, graph, [Symbol.asyncDispose]: () => server.stop(true) };
}

export const sent = () =>
  Response.json({ messaging_product: "whatsapp", messages: [{ id: "wamid.OUT" }] });

export const refused = (status: number, error: Record<string, unknown>, headers = {}) =>
  Response.json(
    { error: { message: "(#1) No", type: "OAuthException", ...error } },
    { status, headers },
  );

export const live = () => new AbortController().signal;
