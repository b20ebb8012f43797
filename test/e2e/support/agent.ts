import { createServer } from "node:http";
import type { TurnRequest } from "../../../src/agent/agent.ts";
import { Journal } from "../../../src/simulator/graph/journal.ts";

export interface TestAgent {
  url: string;
  /** Turns in the order in which they came; a repeated turn comes again. */
  turns: Journal<TurnRequest>;
  stop(): void;
}

/** What the agent answers: a status with a JSON body, or null for 204. */
export type AgentAnswer = { status?: number; body?: unknown } | null;

/** An agent of kind "webhook" on loopback that keeps what it is asked. Says nothing (204) unless told otherwise. */
export async function startAgent(
  answer: (turn: TurnRequest) => AgentAnswer | Promise<AgentAnswer> = () => null,
): Promise<TestAgent> {
  const turns = new Journal<TurnRequest>("turns");
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const turn: TurnRequest = JSON.parse(Buffer.concat(parts).toString("utf8"));
      turns.add(turn);
      void Promise.resolve(answer(turn)).then((given) => {
        response.writeHead(given?.status ?? (given === null ? 204 : 200), {
          "content-type": "application/json",
        });
        response.end(given === null ? undefined : JSON.stringify(given.body ?? {}));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/turn`,
    turns,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
