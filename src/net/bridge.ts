import { randomBytes } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { equalInConstantTime } from "./constant-time.ts";
import { dial, proxyAuthorization, ProxyFailure, type DialOptions } from "./dial.ts";
import { bareHost } from "./no-proxy.ts";
import { parseProxy } from "./proxy.ts";

/** Connections at once; a client of WhatsApp Web needs one and a few for media. */
const maxConnections = 64;
/** Of those, who has not shown the credentials yet; of more, who came first has to go. */
const maxStrangers = 16;
const maxHeadBytes = 16 * 1024;
const headTimeoutMs = 10_000;

/** An HTTP CONNECT proxy on loopback. `url` carries the credentials it asks for. */
export interface ProxyBridge {
  url: string;
  close(): Promise<void>;
}

export interface BridgeOptions extends Pick<DialOptions, "ca" | "resolve" | "timeoutMs"> {
  /** The proxy let a connection not through: why the client hears 502. */
  onFailure?: (failure: ProxyFailure) => void;
}

/**
 * Gives one proxy of any kind the face of an HTTP proxy on loopback, for clients that speak only to those: the socket
 * of Bun's `ws` and `WebSocket` (`{ agent: { proxy: bridge.url } }`). Every CONNECT is dialled through the proxy,
 * names as they come (socks5 resolves them here); where that fails the answer is 502 and nothing is connected.
 * Random credentials keep other users of the machine out. Throws {@link UnusableProxy} for an address it cannot use.
 *
 * Removes NO_PROXY from the environment: Bun's sockets obey it over the proxy they were given, and would by-pass it.
 */
export async function httpProxyBridge(
  proxyUrl: string,
  options: BridgeOptions = {},
): Promise<ProxyBridge> {
  const proxy = parseProxy(proxyUrl);
  delete process.env["NO_PROXY"];
  delete process.env["no_proxy"];

  const password = randomBytes(24).toString("base64url");
  const sockets = new Set<Socket>();
  const strangers = new Set<Socket>();
  const server = createServer((client) => {
    sockets.add(client);
    strangers.add(client);
    client.on("error", () => client.destroy());
    client.on("close", () => {
      sockets.delete(client);
      strangers.delete(client);
    });
    const [first] = strangers;
    if (first && strangers.size > maxStrangers) {
      // At once, and not when it has closed: a burst would send the same one away again and again.
      strangers.delete(first);
      first.destroy();
    }
    serve(client).catch(() => client.destroy());
  });
  server.maxConnections = maxConnections;

  async function serve(client: Socket): Promise<void> {
    const head = await readHead(client);
    if (!head) return answer(client, "400 Bad Request");
    if (!equalInConstantTime(head.authorization ?? "", expected)) {
      return answer(
        client,
        "407 Proxy Authentication Required",
        'Proxy-Authenticate: Basic realm="revka"',
      );
    }
    strangers.delete(client);
    if (head.method !== "CONNECT")
      return answer(client, "405 Method Not Allowed", "Allow: CONNECT");
    const target = /^(\[[0-9a-f:.]+\]|[^:[\]@/]+):(\d{1,5})$/i.exec(head.target);
    if (!target || Number(target[2]) > 65_535) return answer(client, "400 Bad Request");

    const gone = new AbortController();
    const onClose = () => gone.abort(new Error("the client left"));
    client.once("close", onClose);
    let upstream: Socket;
    try {
      upstream = await dial({
        ...options,
        proxy,
        host: bareHost(target[1] ?? ""),
        port: Number(target[2]),
        signal: gone.signal,
      });
    } catch (error) {
      if (error instanceof ProxyFailure) options.onFailure?.(error);
      return answer(client, "502 Bad Gateway");
    } finally {
      client.off("close", onClose);
    }
    sockets.add(upstream);
    upstream.on("close", () => {
      sockets.delete(upstream);
      client.destroy();
    });
    upstream.on("error", () => client.destroy());
    client.on("close", () => upstream.destroy());
    client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    client.pipe(upstream);
    upstream.pipe(client);
  }

  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the bridge has no port");
  const url = new URL(`http://revka:${password}@127.0.0.1:${address.port}`);
  const expected = proxyAuthorization(url) ?? "";
  return {
    url: url.href.replace(/\/$/, ""),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Says it and goes: a client that keeps its end open would hold a place. */
function answer(client: Socket, status: string, ...headers: string[]): void {
  const head = [`HTTP/1.1 ${status}`, ...headers, "Content-Length: 0", "Connection: close"];
  client.end(`${head.join("\r\n")}\r\n\r\n`, () => client.destroy());
}

interface RequestHead {
  method: string;
  target: string;
  authorization: string | null;
}

/** Reads a request's head; what the client sent behind it goes back to the socket. null where it is none. */
function readHead(client: Socket): Promise<RequestHead | null> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const finish = (head: RequestHead | null) => {
      clearTimeout(timer);
      client.off("data", onData);
      client.off("close", onClose);
      client.pause();
      resolve(head);
    };
    const onClose = () => finish(null);
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) {
        if (received.length > maxHeadBytes) finish(null);
        return;
      }
      const head = parseHead(received.subarray(0, end).toString("latin1"));
      finish(head);
      if (received.length > end + 4) client.unshift(received.subarray(end + 4));
    };
    const timer = setTimeout(() => finish(null), headTimeoutMs);
    client.on("data", onData);
    client.on("close", onClose);
  });
}

function parseHead(text: string): RequestHead | null {
  const [first = "", ...lines] = text.split("\r\n");
  const request = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first);
  if (!request) return null;
  const authorization = lines
    .map((line) => /^proxy-authorization:\s*(.*?)\s*$/i.exec(line)?.[1])
    .find((value) => value !== undefined);
  return {
    method: request[1] ?? "",
    target: request[2] ?? "",
    authorization: authorization ?? null,
  };
}
