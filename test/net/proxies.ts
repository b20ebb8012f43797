import { createServer as createHttpServer, request, type Server } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { connect, createServer, type Server as TcpServer, type Socket } from "node:net";
import { testCertificate } from "./certificate.ts";

/** A proxy that counts what it is asked for, and can be told to refuse. */
export interface CountingProxy {
  url: string;
  /** What it was asked to reach: `CONNECT host:port`, `GET http://…`, `SOCKS host:port`. */
  asked: string[];
  close(): Promise<void>;
}

export interface ProxyBehaviour {
  /** Credentials it insists on, `user:password`. */
  credentials?: string;
  /** Answers everything with this refusal: an HTTP status, or a SOCKS reply code. */
  refuse?: number;
  /** Reads the request and never answers. */
  silent?: boolean;
  /** Where names lead: 127.0.0.1 by default. */
  hosts?: Record<string, string>;
  /** Speak TLS to the client (https proxy). */
  tls?: boolean;
}

export async function startHttpProxy(behaviour: ProxyBehaviour = {}): Promise<CountingProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = behaviour.tls ? createHttpsServer(testCertificate) : createHttpServer();
  server.on("connection", (socket: Socket) => track(sockets, socket));
  const allowed = (header: string | undefined) =>
    !behaviour.credentials ||
    header === `Basic ${Buffer.from(behaviour.credentials).toString("base64")}`;
  server.on("request", (incoming, outgoing) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    if (behaviour.silent) return;
    if (behaviour.refuse) return void outgoing.writeHead(behaviour.refuse).end();
    if (!allowed(incoming.headers["proxy-authorization"])) {
      return void outgoing.writeHead(407, { "proxy-authenticate": "Basic" }).end();
    }
    const { "proxy-authorization": _, "proxy-connection": __, ...headers } = incoming.headers;
    const onward = request(
      reachable(new URL(incoming.url ?? ""), behaviour),
      { method: incoming.method ?? "GET", headers },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on("error", () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on("connect", (incoming, client: Socket, head: Buffer) => {
    asked.push(`CONNECT ${incoming.url}`);
    client.on("error", () => {});
    if (behaviour.silent) return;
    if (behaviour.refuse) return void client.end(`HTTP/1.1 ${behaviour.refuse} No\r\n\r\n`);
    if (!allowed(incoming.headers["proxy-authorization"])) {
      return void client.end("HTTP/1.1 407 No\r\nProxy-Authenticate: Basic\r\n\r\n");
    }
    const target = reachable(new URL(`http://${incoming.url}`), behaviour);
    join(client, target.hostname, Number(target.port || 80), sockets, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      return head;
    });
  });
  const port = await listen(server);
  const scheme = behaviour.tls ? "https" : "http";
  return { url: address(scheme, port, behaviour), asked, close: () => stop(server, sockets) };
}

/** SOCKS 5 with and without user and password; connects where it is told, names included. */
export async function startSocksProxy(
  behaviour: ProxyBehaviour = {},
  scheme: "socks5" | "socks5h" | "socks" = "socks5",
): Promise<CountingProxy> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    track(sockets, client);
    let buffered = Buffer.alloc(0);
    let stage: "greeting" | "login" | "request" = "greeting";
    const onData = (chunk: Buffer) => {
      buffered = Buffer.concat([buffered, chunk]);
      if (stage === "greeting") {
        if (buffered.length < 2 + (buffered[1] ?? 0)) return;
        const methods = buffered.subarray(2, 2 + (buffered[1] ?? 0));
        buffered = buffered.subarray(2 + methods.length);
        const wanted = behaviour.credentials ? 2 : 0;
        if (!methods.includes(wanted)) return void client.end(Buffer.from([5, 0xff]));
        client.write(Buffer.from([5, wanted]));
        stage = behaviour.credentials ? "login" : "request";
      }
      if (stage === "login") {
        const userLength = buffered[1];
        if (userLength === undefined) return;
        const passwordLength = buffered[2 + userLength];
        if (passwordLength === undefined || buffered.length < 3 + userLength + passwordLength)
          return;
        const user = buffered.toString("utf8", 2, 2 + userLength);
        const password = buffered.toString("utf8", 3 + userLength, 3 + userLength + passwordLength);
        buffered = buffered.subarray(3 + userLength + passwordLength);
        if (`${user}:${password}` !== behaviour.credentials)
          return void client.end(Buffer.from([1, 1]));
        client.write(Buffer.from([1, 0]));
        stage = "request";
      }
      const target = readTarget(buffered);
      if (!target) return;
      client.off("data", onData);
      asked.push(`SOCKS ${target.host}:${target.port}`);
      if (behaviour.silent) return;
      const reply = (code: number) => Buffer.from([5, code, 0, 1, 0, 0, 0, 0, 0, 0]);
      if (behaviour.refuse) return void client.end(reply(behaviour.refuse));
      join(client, behaviour.hosts?.[target.host] ?? target.host, target.port, sockets, () => {
        client.write(reply(0));
        return buffered.subarray(target.length);
      });
    };
    client.on("data", onData);
  });
  const port = await listen(server);
  return { url: address(scheme, port, behaviour), asked, close: () => stop(server, sockets) };
}

function readTarget(bytes: Buffer): { host: string; port: number; length: number } | null {
  if (bytes.length < 7) return null;
  if (bytes[3] === 1) {
    if (bytes.length < 10) return null;
    return { host: [...bytes.subarray(4, 8)].join("."), port: bytes.readUInt16BE(8), length: 10 };
  }
  const nameLength = bytes[4] ?? 0;
  if (bytes[3] !== 3 || bytes.length < 7 + nameLength) return null;
  return {
    host: bytes.toString("latin1", 5, 5 + nameLength),
    port: bytes.readUInt16BE(5 + nameLength),
    length: 7 + nameLength,
  };
}

function reachable(url: URL, behaviour: ProxyBehaviour): URL {
  const mapped = behaviour.hosts?.[url.hostname];
  if (mapped) url.hostname = mapped;
  return url;
}

function join(
  client: Socket,
  host: string,
  port: number,
  sockets: Set<Socket>,
  opened: () => Buffer,
): void {
  const target = connect(port, host);
  track(sockets, target);
  client.on("close", () => target.destroy());
  target.on("close", () => client.destroy());
  target.once("connect", () => {
    const early = opened();
    if (early.length > 0) target.write(early);
    client.pipe(target);
    target.pipe(client);
  });
}

function track(sockets: Set<Socket>, socket: Socket): void {
  sockets.add(socket);
  socket.on("close", () => sockets.delete(socket)).on("error", () => {});
}

function address(scheme: string, port: number, behaviour: ProxyBehaviour): string {
  const login = behaviour.credentials ? `${behaviour.credentials}@` : "";
  return `${scheme}://${login}127.0.0.1:${port}`;
}

export function listen(server: Server | TcpServer): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : 0);
    });
  });
}

export function stop(server: Server | TcpServer, sockets: Set<Socket>): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    for (const socket of sockets) socket.destroy();
  });
}
