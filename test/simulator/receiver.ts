import { createServer, type IncomingHttpHeaders } from "node:http";
import { Journal } from "../../src/simulator/graph/journal.ts";

export interface ReceivedPost {
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** A callback URL for the simulator: keeps what arrives and answers 200, or what `answers` says next. */
export async function startReceiver(answers: number[] = []) {
  const posts = new Journal<ReceivedPost>("posts");
  const server = createServer((request, response) => {
    const challenge = new URL(request.url ?? "/", "http://x").searchParams.get("hub.challenge");
    if (request.method === "GET") return void response.end(challenge);
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      response.writeHead(answers.shift() ?? 200);
      response.end();
      posts.add({ headers: request.headers, body: Buffer.concat(parts) });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    url: `http://127.0.0.1:${address.port}/whatsapp`,
    posts,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}
