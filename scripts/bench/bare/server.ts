// The least a webhook server can do: read the body, answer. Port on argv.
Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2] ?? 0),
  async fetch(request) {
    await request.arrayBuffer();
    return Response.json({ status: "ok" });
  },
});
