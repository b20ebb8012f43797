import { lookup } from "node:dns/promises";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { SocksClientOptions } from "socks";
import { networkErrorCode } from "./network-error.ts";
import { bareHost } from "./no-proxy.ts";
import type { Proxy } from "./proxy.ts";

/** How long a proxy may take until the way to the target is open, the proxy's own connection included. */
const dialTimeoutMs = 20_000;

/** More than this before the end of a proxy's answer head is no answer to CONNECT. */
const maxAnswerHeadBytes = 16 * 1024;

/** The proxy refused, or is not there. `code` is fit for a log; nothing in it holds credentials or a target. */
export class ProxyFailure extends Error {
  override readonly name = "ProxyFailure";
  constructor(
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export function loginRefused(proxy: Proxy): ProxyFailure {
  return new ProxyFailure("proxy_407", `${proxy.label} wants other credentials (407)`);
}

export interface DialOptions {
  proxy: Proxy;
  /** Name or address without brackets. */
  host: string;
  port: number;
  signal?: AbortSignal;
  timeoutMs?: number;
  /** Roots for the TLS to an https proxy beside the system's (PEM). */
  ca?: string[];
  /** Resolves names where the scheme says that is done here (socks5). */
  resolve?: (host: string) => Promise<string>;
}

/**
 * Opens a connection to `host:port` through the proxy: CONNECT for http and https proxies (RFC 9110, section 9.3.6),
 * SOCKS 5 (RFC 1928, 1929) for the others. Never connects to the target itself: where the proxy fails, this rejects
 * with {@link ProxyFailure} (or the signal's reason).
 */
export function dial(options: DialOptions): Promise<Socket> {
  const socks = options.proxy.url.protocol.startsWith("socks");
  return withProxy(options, (socket) =>
    socks ? throughSocks(socket, options) : throughHttp(socket, options),
  );
}

/** Opens a connection to the proxy itself, for plain requests that an HTTP proxy forwards. Rejects as {@link dial}. */
export function connectToProxy(options: Omit<DialOptions, "host" | "port">): Promise<Socket> {
  return withProxy(options, async (socket) => socket);
}

async function withProxy(
  { proxy, signal, ca, timeoutMs = dialTimeoutMs }: Omit<DialOptions, "host" | "port">,
  negotiate: (socket: Socket) => Promise<Socket>,
): Promise<Socket> {
  signal?.throwIfAborted();
  const opened = openToProxy(proxy, ca);
  let settle = () => {};
  const stopped = new Promise<never>((_, reject) => {
    const onAbort = () => reject(signal?.reason);
    const timer = setTimeout(
      () => reject(new ProxyFailure("proxy_timeout", `${proxy.label} did not answer in time`)),
      timeoutMs,
    );
    signal?.addEventListener("abort", onAbort, { once: true });
    settle = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
  });
  try {
    return await Promise.race([stopped, opened.ready.then(() => negotiate(opened.socket))]);
  } catch (error) {
    opened.socket.on("error", () => {}).destroy();
    if (signal?.aborted || error instanceof ProxyFailure) throw error;
    const why = describe(error);
    const code = isTlsTrouble(error) ? "proxy_tls" : "proxy_unreachable";
    throw new ProxyFailure(code, `${proxy.label} cannot be used: ${why}`, { cause: error });
  } finally {
    settle();
  }
}

/** It is there, and its certificate or its TLS is what stands in the way. */
function isTlsTrouble(error: unknown): boolean {
  const words = error instanceof Error ? `${networkErrorCode(error)} ${error.message}` : "";
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_(SSL|TLS)|EPROTO|certificate/.test(words);
}

function openToProxy(proxy: Proxy, ca?: string[]): { socket: Socket; ready: Promise<void> } {
  const host = bareHost(proxy.url.hostname);
  const port = proxy.port;
  const secure = proxy.url.protocol === "https:";
  const socket = secure
    ? connectTls({ host, port, ...(isIP(host) ? {} : { servername: host }), ...(ca ? { ca } : {}) })
    : connect({ host, port });
  const ready = new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once(secure ? "secureConnect" : "connect", () => {
      socket.off("error", reject);
      socket.setNoDelay(true);
      resolve();
    });
  });
  return { socket, ready };
}

async function throughHttp(socket: Socket, { proxy, host, port }: DialOptions): Promise<Socket> {
  const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const authorization = proxyAuthorization(proxy.url);
  const head = [
    `CONNECT ${authority} HTTP/1.1`,
    `Host: ${authority}`,
    ...(authorization ? [`Proxy-Authorization: ${authorization}`] : []),
  ];
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  const status = await readAnswerStatus(socket);
  if (status === 407) throw loginRefused(proxy);
  if (status < 200 || status > 299) {
    throw new ProxyFailure(`proxy_${status}`, `${proxy.label} refused to connect (${status})`);
  }
  return socket;
}

/** The `Proxy-Authorization` for the credentials in a proxy's address; null without any. */
export function proxyAuthorization(url: URL): string | null {
  if (!url.username && !url.password) return null;
  const { user, password } = credentials(url);
  return `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
}

/** Reads up to the empty line after the status; what follows it goes back to the socket. */
function readAnswerStatus(socket: Socket): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const finish = (act: () => void) => {
      socket.off("data", onData);
      socket.off("error", onError);
      socket.off("close", onClose);
      socket.off("end", onClose);
      act();
    };
    const onError = (error: Error) => finish(() => reject(error));
    const onClose = () =>
      finish(() => reject(new ProxyFailure("proxy_closed", "the proxy closed the connection")));
    const onData = (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf("\r\n\r\n");
      if (end < 0) {
        if (received.length > maxAnswerHeadBytes) {
          finish(() => reject(new ProxyFailure("proxy_protocol", "the proxy does not speak HTTP")));
        }
        return;
      }
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(received.toString("latin1"));
      finish(() => {
        if (!status) {
          reject(new ProxyFailure("proxy_protocol", "the proxy does not speak HTTP"));
          return;
        }
        socket.pause();
        if (received.length > end + 4) socket.unshift(received.subarray(end + 4));
        resolve(Number(status[1]));
      });
    };
    socket.on("data", onData);
    socket.on("error", onError);
    socket.on("close", onClose);
    socket.on("end", onClose);
  });
}

async function throughSocks(socket: Socket, options: DialOptions): Promise<Socket> {
  const { proxy, port } = options;
  const resolving = proxy.resolves === "here" && !isIP(options.host);
  const [host, { SocksClient }] = await whileOpen(
    socket,
    Promise.all([resolving ? resolved(options) : options.host, import("socks")]),
  );
  const { user, password } = credentials(proxy.url);
  const request: SocksClientOptions = {
    command: "connect",
    destination: { host, port },
    existing_socket: socket,
    timeout: dialTimeoutMs,
    proxy: {
      host: bareHost(proxy.url.hostname),
      port: proxy.port,
      type: 5,
      ...(user ? { userId: user, password } : {}),
    },
  };
  try {
    await SocksClient.createConnection(request);
    return socket;
  } catch (error) {
    // No `cause`: the library's errors carry the whole options, credentials included.
    throw new ProxyFailure("proxy_refused", `${proxy.label} refused: ${describe(error)}`);
  }
}

/** Rejects where the proxy hangs up before the work is done: nobody else listens to the connection meanwhile. */
async function whileOpen<T>(socket: Socket, work: Promise<T>): Promise<T> {
  let settle = () => {};
  const lost = new Promise<never>((_, reject) => {
    const onClose = () =>
      reject(new ProxyFailure("proxy_closed", "the proxy closed the connection"));
    socket.on("error", reject).on("end", onClose).on("close", onClose);
    settle = () => socket.off("error", reject).off("end", onClose).off("close", onClose);
  });
  try {
    return await Promise.race([lost, work]);
  } finally {
    settle();
  }
}

async function resolved({ proxy, host, resolve = resolveHere }: DialOptions): Promise<string> {
  try {
    return await resolve(host);
  } catch (error) {
    const why = `the target has no address here (${describe(error)}); socks5h resolves names at the proxy`;
    throw new ProxyFailure("proxy_dns", `${proxy.label}: ${why}`, { cause: error });
  }
}

async function resolveHere(host: string): Promise<string> {
  return (await lookup(host)).address;
}

function credentials(url: URL): { user: string; password: string } {
  return { user: decode(url.username), password: decode(url.password) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Codes and the fixed sentences of the SOCKS library; no addresses, no credentials. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return "unknown error";
  if ("code" in error && typeof error.code === "string") return error.code;
  return error.message.replace(/\s+/g, " ").slice(0, 120);
}
