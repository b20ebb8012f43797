import type { Connection, Wire } from "./connection.ts";
import type { Faults } from "./faults.ts";

interface Slot {
  connection: Connection | undefined;
}

/** The WebSocket endpoint on loopback. `upgrade` is a fault point: refuse with a status, delay, cut. */
export function listen(
  port: number,
  faults: Faults,
  open: (wire: Wire) => Connection,
): { port: number; stop: () => Promise<void> } {
  const server = Bun.serve<Slot, never>({
    hostname: "127.0.0.1",
    port,
    async fetch(request, server) {
      const fault = faults.due("upgrade");
      if (fault?.do === "refuse") return new Response("refused", { status: fault.code });
      if (fault?.do === "delay") await new Promise((resolve) => setTimeout(resolve, fault.ms));
      if (fault?.do === "swallow") await new Promise(() => {});
      if (fault?.do === "cut") return Response.error();
      if (server.upgrade(request, { data: { connection: undefined } })) return;
      return new Response("a WebSocket is expected here", { status: 426 });
    },
    websocket: {
      maxPayloadLength: 64 << 20,
      idleTimeout: 0,
      open(socket) {
        socket.data.connection = open({
          send: (bytes) => void socket.sendBinary(bytes),
          terminate: () => socket.terminate(),
          close: () => socket.close(),
        });
      },
      message(socket, data) {
        if (typeof data === "string") return socket.terminate();
        socket.data.connection?.bytes(new Uint8Array(data));
      },
      close(socket) {
        socket.data.connection?.gone();
      },
    },
  });
  return {
    port: server.port ?? 0,
    stop: async () => {
      await server.stop(true);
    },
  };
}
