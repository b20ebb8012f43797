import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";

/** A server on 127.0.0.1 that can end at once, whoever is still connected. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** `port` 0 takes a free one. */
  constructor(
    readonly port: number,
    listener: RequestListener,
  ) {
    this.#server = createServer(listener);
    this.#server.keepAliveTimeout = 60_000;
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Rejects where the port cannot be had. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.port, "127.0.0.1", () => resolve());
    });
  }

  /** Base URL without a slash at the end. Throws before the start. */
  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("not started");
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    await closed;
  }
}
