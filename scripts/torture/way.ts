import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** The way from the daemon to the platform, which can be cut: nobody listens there then, and what is under way breaks. */
export interface Way {
  url: string;
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** `url`: where the platform listens, on loopback. */
export async function openWay(url: string): Promise<Way> {
  const platform = Number(new URL(url).port);
  const sockets = new Set<Socket>();
  const server = createServer((from) => {
    const to = connect(platform, "127.0.0.1");
    for (const [socket, other] of [
      [from, to],
      [to, from],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const listen = (port: number) =>
    new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async cut() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    mend: () => listen(port),
  };
}
