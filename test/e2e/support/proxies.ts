import { createServer as createHttpServer } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { testCertificate } from "../../net/certificate.ts";
import {
  type CountingProxy,
  listen,
  type ProxyBehaviour,
  startHttpProxy,
  startSocksProxy,
  stop,
} from "../../net/proxies.ts";
import { temporaryFolder } from "../../support/store.ts";

/**
 * Where servers are said to be: an address of loopback at which they do not listen. Only a proxy that knows better
 * reaches them; whoever goes there directly meets a trap that counts.
 */
const hiddenHost = "127.0.0.9";

/** For {@link ProxyBehaviour.hosts}: where the hidden ones really are. */
const whereabouts = { [hiddenHost]: "127.0.0.1" };

export interface Hidden {
  /** Of the trap: connections that did not go through a proxy. */
  readonly direct: number;
  close(): Promise<void>;
}

/** Hides a server that listens on 127.0.0.1: sets its `url` to the hidden address and lays the trap there. */
export async function hide(server: { url: string }): Promise<Hidden> {
  const { port } = new URL(server.url);
  const url = `http://${hiddenHost}:${port}`;
  Object.defineProperty(server, "url", { get: () => url });
  return trap(hiddenHost, Number(port));
}

/** Takes connections at an address, counts and drops them. */
export async function trap(host: string, port: number): Promise<Hidden> {
  let direct = 0;
  const server = createServer((socket) => {
    direct++;
    socket.on("error", () => {}).destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return {
    get direct() {
      return direct;
    },
    close: () => stop(server, new Set()),
  };
}

/** Every kind of proxy that a configuration may name; each knows where the hidden servers are. */
export const proxyKinds: Record<string, (more?: ProxyBehaviour) => Promise<CountingProxy>> = {
  http: (more) => startHttpProxy({ hosts: whereabouts, ...more }),
  "https with credentials": (more) =>
    startHttpProxy({ hosts: whereabouts, tls: true, credentials: "user:pass", ...more }),
  "socks5 with credentials": (more) =>
    startSocksProxy({ hosts: whereabouts, credentials: "user:pass", ...more }, "socks5"),
  socks5h: (more) => startSocksProxy({ hosts: whereabouts, ...more }, "socks5h"),
};

/** Was the proxy asked for this server? */
export function asked(proxy: CountingProxy, server: { url: string }): boolean {
  const { port } = new URL(server.url);
  return proxy.asked.some((line) => line.includes(`:${port}`));
}

/** An address of loopback at which nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = createServer();
  const port = await listen(server);
  await stop(server, new Set());
  return `127.0.0.1:${port}`;
}

/** The environment of a daemon that trusts the certificate of the tests; and one that would lead it past its proxies. */
export function trusting(...certificates: string[]): {
  env: Record<string, string>;
  close(): Promise<void>;
} {
  const folder = temporaryFolder();
  const file = join(folder.path, "roots.pem");
  writeFileSync(file, [testCertificate.cert, ...certificates].join("\n"));
  return { env: { NODE_EXTRA_CA_CERTS: file }, close: async () => folder.remove() };
}

/** Proxies are none of the environment's business unless the configuration says so. */
export const misleading = {
  NO_PROXY: "*",
  no_proxy: "*",
  HTTP_PROXY: "http://127.0.0.1:9",
  HTTPS_PROXY: "http://127.0.0.1:9",
  ALL_PROXY: "http://127.0.0.1:9",
};

/** A CONNECT proxy that alone knows where some names lead: `host:port` → port on 127.0.0.1. All others are refused. */
export async function startNamingProxy(names: Record<string, number>): Promise<CountingProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  };
  const server = createHttpServer((incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    outgoing.writeHead(403).end();
  });
  server.on("connection", keep);
  server.on("connect", (incoming, client: Socket) => {
    asked.push(`CONNECT ${incoming.url}`);
    const port = names[incoming.url ?? ""];
    if (port === undefined) return void client.end("HTTP/1.1 502 Unknown\r\n\r\n");
    const target = connect(port, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    keep(target);
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
  });
  const port = await listen(server);
  return { url: `http://127.0.0.1:${port}`, asked, close: () => stop(server, sockets) };
}
