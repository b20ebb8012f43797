// The least an echo bot can do that keeps what it was asked and what it answers: both are appended to one file, and
// synced before they are told. Nothing is checked, retried or ever taken away.
import { fsyncSync, openSync, writeSync } from "node:fs";

const [port, graph, file] = process.argv.slice(2);
const kept = openSync(file ?? "", "a", 0o600);
function keep(what: unknown): void {
  writeSync(kept, `${JSON.stringify(what)}\n`);
  fsyncSync(kept);
}
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port ?? 0),
  async fetch(request) {
    if (request.method === "GET") return new Response("");
    const body = await request.json();
    const message = body.entry?.[0]?.changes?.[0]?.value?.messages?.[0];
    if (message) {
      keep(message);
      const answer = { to: message.from, type: "text", text: message.text };
      keep(answer);
      void fetch(`${graph}/v26.0/1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(answer),
      }).then((said) => said.arrayBuffer());
    }
    return Response.json({ status: "ok" });
  },
});
