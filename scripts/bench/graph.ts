/** The least stand-in for the Graph API and for an agent that is asked and never answers. */
export interface GraphStandIn {
  url: string;
  /** An agent of kind "webhook" at which every turn hangs, so that turns take no part in what is measured. */
  silentAgent: Record<string, unknown>;
  stop(): void;
}

/** Takes every send; `onText` is told of each text message at its arrival. */
export function startGraph(onText: (to: string, text: string) => void = () => {}): GraphStandIn {
  let sent = 0;
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 255,
    async fetch(request) {
      if (request.url.endsWith("/agent")) return new Promise<Response>(() => {});
      const body = await request.json();
      if (body.type !== "text") return Response.json({ success: true });
      onText(String(body.to), String(body.text?.body));
      return Response.json({
        messaging_product: "whatsapp",
        contacts: [{ input: body.to, wa_id: body.to }],
        messages: [{ id: `wamid.bench${++sent}` }],
      });
    },
  });
  const url = `http://127.0.0.1:${server.port}`;
  return {
    url,
    silentAgent: { kind: "webhook", url: `${url}/agent`, max_concurrent_turns: 1 },
    stop: () => void server.stop(true),
  };
}
