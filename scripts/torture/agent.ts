import { createServer } from "node:http";

export interface SlowAgent {
  url: string;
  /** Turns asked for, repeated ones included. */
  readonly turns: number;
  stop(): void;
}

/** An agent of kind "webhook" that answers with what it was told after `latency()` ms. */
export async function startSlowAgent(latency: () => number): Promise<SlowAgent> {
  let turns = 0;
  const server = createServer((incoming, outgoing) => {
    const parts: Buffer[] = [];
    incoming.on("data", (part: Buffer) => parts.push(part));
    incoming.on("end", () => {
      turns++;
      const turn: { messages: { text: string }[] } = JSON.parse(Buffer.concat(parts).toString());
      const text = turn.messages.map((message) => message.text).join("\n");
      setTimeout(() => outgoing.end(JSON.stringify({ text })), latency());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/`,
    get turns() {
      return turns;
    },
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
