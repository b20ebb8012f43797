import { connect, type Socket } from "node:net";

/** A connection that says exactly what it is told. */
export interface RawConnection {
  socket: Socket;
  /** All that came back so far. */
  answer(): string;
  /** Resolves with milliseconds since it was opened. */
  closed: Promise<number>;
}

export function rawConnection(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const opened = performance.now();
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect(Number(port), hostname);
    const closed = new Promise<number>((gone) =>
      socket.on("close", () => gone(performance.now() - opened)),
    );
    socket.on("data", (part) => (text += String(part)));
    socket.on("error", reject);
    socket.on("connect", () => resolve({ socket, answer: () => text, closed }));
  });
}

/** Sends a request as it stands and resolves with the status line of the answer, "" where there is none. */
export async function statusLine(url: string, request: string): Promise<string> {
  const { socket, answer } = await rawConnection(url);
  return new Promise((resolve) => {
    const end = () => {
      socket.destroy();
      resolve(answer().split("\r\n")[0] ?? "");
    };
    socket.on("data", () => answer().includes("\r\n\r\n") && end());
    socket.on("close", end);
    socket.write(request);
  });
}
