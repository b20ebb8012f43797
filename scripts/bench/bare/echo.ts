// The least an echo bot can do: each webhook body becomes one request to the address on argv. Nothing is kept, checked
// or retried.
const [port, graph] = process.argv.slice(2);
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(port ?? 0),
  async fetch(request) {
    if (request.method === "GET") return new Response("");
    const body = await request.json();
    const message = body.entry?.[0]?.changes?.[0]?.value?.messages?.[0];
    if (message) {
      void fetch(`${graph}/v26.0/1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ to: message.from, type: "text", text: message.text }),
      }).then((answer) => answer.arrayBuffer());
    }
    return Response.json({ status: "ok" });
  },
});
