import { randomBytes } from "node:crypto";
import { Journal } from "../../simulator/graph/journal.ts";
import { createWatiSimulator } from "../../simulator/wati.ts";
import { newWamid, newWatiId } from "../../simulator/wati/events.ts";
import type { DemoPlatform } from "./platform.ts";

const customer = "15550001111";

/** WATI on loopback, with a token and a webhook secret of its own. */
export async function watiPlatform(): Promise<DemoPlatform> {
  const secret = () => randomBytes(16).toString("hex");
  const webhookSecret = secret();
  const wati = createWatiSimulator({
    token: secret(),
    webhook: { headers: { "x-revka-webhook-secret": webhookSecret } },
  });
  await wati.start();
  /** WATI repeats a message with both its ids. */
  const wamids = new Map<string, string>();
  const webhooks = new Journal<string>("webhooks");
  const write = async (id: string, text: string) => {
    const wamid = wamids.get(id) ?? newWamid();
    wamids.set(id, wamid);
    const { statuses } = await wati.sendText(customer, text, { id, wamid });
    for (const status of statuses) if (status === 200) webhooks.add(id);
  };
  return {
    title: "WATI",
    url: wati.url,
    webhookPath: "/wati",
    channelsConfig: {
      wati: {
        api_token: wati.token,
        api_url: wati.url,
        webhook_secret: webhookSecret,
        allowed_numbers: [`+${customer}`],
      },
    },
    async connect(gatewayUrl) {
      wati.webhook.url = `${gatewayUrl}/wati`;
      return "every call carries the shared secret";
    },
    write(text) {
      const id = newWatiId();
      void write(id, text);
      return id;
    },
    writeAgain: write,
    webhooks: () => webhooks.entries.length,
    waitForWebhooks: async (count, timeoutMs) => {
      await webhooks.waitFor({ count, timeoutMs });
    },
    received: () => wati.received.map((send) => send.text ?? `(${send.kind})`),
    waitForReceived: async (count, timeoutMs) => {
      await wati.waitForSends({ to: customer, count, timeoutMs });
    },
    seen: () => null,
    stop: () => wati.close(),
  };
}
