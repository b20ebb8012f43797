import {
  createServer as createHttpServer,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Socket } from "node:net";
import { testCertificate } from "./certificate.ts";
import { listen, stop } from "./proxies.ts";

export interface Seen {
  method: string;
  path: string;
  headers: Record<string, string | string[] | undefined>;
  body: string;
}

export interface Target {
  /** `http://127.0.0.1:port` or `https://…`. */
  url: string;
  port: number;
  seen: Seen[];
  /** TCP connections accepted: 0 proves that nobody came. */
  connections: number;
  close(): Promise<void>;
}

export type Answer = (incoming: IncomingMessage, outgoing: ServerResponse, body: string) => void;

/** A server that remembers every request and answers as told (by default 200 with what it saw). */
export async function startTarget(
  answer: Answer = (incoming, outgoing, body) => {
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(
      JSON.stringify({ method: incoming.method, path: incoming.url, length: body.length }),
    );
  },
  options: { tls?: boolean } = {},
): Promise<Target> {
  const sockets = new Set<Socket>();
  const server = options.tls ? createHttpsServer(testCertificate) : createHttpServer();
  const target: Target = {
    url: "",
    port: 0,
    seen: [],
    connections: 0,
    close: () => stop(server, sockets),
  };
  server.on("connection", (socket: Socket) => {
    target.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  server.on("request", (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString("latin1");
      target.seen.push({
        method: incoming.method ?? "",
        path: incoming.url ?? "",
        headers: incoming.headers,
        body,
      });
      answer(incoming, outgoing, body);
    });
  });
  target.port = await listen(server);
  target.url = `${options.tls ? "https" : "http"}://127.0.0.1:${target.port}`;
  return target;
}
