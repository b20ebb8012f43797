import {
  envelope,
  serialise,
  statusEntry,
  type Business,
} from "../../src/simulator/graph/bodies.ts";
import { newWamid } from "../../src/simulator/graph/wamid.ts";

export interface Platform {
  url: string;
  /** Messages taken so far. */
  readonly taken: number;
  stop(): Promise<void>;
}

/** Statuses of one webhook at most, and how long it waits for more, ms. */
const batch = 100;
const gatherMs = 20;

/**
 * The least of a Graph API: takes every message and keeps none, so that a long run measures Revka and not what its
 * test remembers. Tells of each message by `sent` and `delivered`, many to a webhook as Meta does.
 */
export function startPlatform(options: {
  business: Business;
  statuses: boolean;
  /** A message was taken, with its text. */
  onText(text: string): void;
  post(body: Uint8Array): Promise<void>;
}): Platform {
  let taken = 0;
  let waiting: unknown[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;
  const flush = () => {
    timer = null;
    const statuses = waiting;
    waiting = [];
    void options.post(serialise(envelope(options.business, { statuses })));
  };
  const report = (wamid: string, recipient: string, callbackData: string) => {
    for (const state of ["sent", "delivered"] as const) {
      waiting.push(
        statusEntry({ wamid, state, recipient, recipientKind: "phone", callbackData }, Date.now()),
      );
    }
    if (waiting.length >= batch) {
      if (timer) clearTimeout(timer);
      flush();
    } else timer ??= setTimeout(flush, gatherMs);
  };
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const body = await request.json();
      if (body.status === "read") return Response.json({ success: true });
      const recipient = String(body.to ?? body.recipient).replace("+", "");
      taken++;
      // Random as Meta's are: ids in order would spare the store's indexes their work.
      const wamid = newWamid(recipient, "out");
      if (options.statuses) report(wamid, recipient, String(body.biz_opaque_callback_data));
      options.onText(String(body.text?.body));
      return Response.json({
        messaging_product: "whatsapp",
        contacts: [{ input: body.to, wa_id: recipient }],
        messages: [{ id: wamid }],
      });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    get taken() {
      return taken;
    },
    stop: () => server.stop(true),
  };
}
