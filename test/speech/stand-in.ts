/** A request as a stand-in for a speech service saw it. */
export interface SeenRequest {
  method: string;
  path: string;
  query: Record<string, string>;
  headers: Headers;
  body: Uint8Array<ArrayBuffer>;
  form: FormData | null;
  json: unknown;
}

export interface StandIn {
  url: string;
  seen: SeenRequest[];
  /** Settles with the next request that arrives. */
  next(): Promise<void>;
  respond: (request: SeenRequest) => Response | Promise<Response>;
  stop(): Promise<void>;
}

/** A loopback server that keeps what it is asked, and answers as told. */
export function standIn(): StandIn {
  let arrived = Promise.withResolvers<void>();
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      const copy = request.clone();
      const body = new Uint8Array(await request.arrayBuffer());
      const type = request.headers.get("content-type") ?? "";
      const url = new URL(request.url);
      const seen: SeenRequest = {
        method: request.method,
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: request.headers,
        body,
        form: type.startsWith("multipart/form-data") ? await copy.formData() : null,
        json: type.startsWith("application/json")
          ? JSON.parse(new TextDecoder().decode(body))
          : null,
      };
      double.seen.push(seen);
      arrived.resolve();
      arrived = Promise.withResolvers();
      return double.respond(seen);
    },
  });
  const double: StandIn = {
    url: `http://127.0.0.1:${server.port}`,
    seen: [],
    next: () => arrived.promise,
    respond: () => new Response("", { status: 500 }),
    stop: () => server.stop(true),
  };
  return double;
}

/** An address of loopback where nobody listens. */
export async function nobody(): Promise<string> {
  const server = Bun.serve({ port: 0, fetch: () => new Response() });
  const url = `http://127.0.0.1:${server.port}`;
  await server.stop(true);
  return url;
}
