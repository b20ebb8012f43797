import { randomBytes } from "node:crypto";
import { startGraphSimulator } from "../../simulator/graph.ts";
import { content } from "../../simulator/graph/content.ts";
import type { WebhookRecord } from "../../simulator/graph/record.ts";
import type { DemoPlatform } from "./platform.ts";
import { whatsappSettings } from "../../simulator/graph/daemon-settings.ts";

const customer = { phone: "15550001111", name: "You" };

/** Meta's Graph API on loopback, with secrets of its own. */
export async function cloudPlatform(): Promise<DemoPlatform> {
  const secret = () => randomBytes(16).toString("hex");
  const graph = await startGraphSimulator({
    account: { accessToken: `EAA${secret()}`, appSecret: secret(), verifyToken: secret() },
  });
  const { account, records } = graph;
  const taken = ({ kind, state }: WebhookRecord) => kind === "message" && state === "accepted";
  return {
    title: "Meta's Graph API",
    url: graph.url,
    webhookPath: "/whatsapp",
    channelsConfig: {
      whatsapp: {
        ...whatsappSettings(account, graph.url),
        allowed_numbers: [`+${customer.phone}`],
      },
    },
    async connect(gatewayUrl) {
      graph.settings.webhooks.url = `${gatewayUrl}/whatsapp`;
      const { verified, status } = await graph.handshake();
      if (!verified) throw new Error(`the webhook's handshake was answered ${status}`);
      return "verified and signed";
    },
    write: (text) => graph.write({ from: customer, content: content.text(text) }),
    async writeAgain(id, text) {
      const before = records.webhooks.entries.length;
      graph.write({ id, from: customer, content: content.text(text) });
      const again = () =>
        records.webhooks.entries.slice(before).some((webhook) => webhook.ids.includes(id));
      await records.webhooks.waitFor({ where: again });
    },
    webhooks: () => records.webhooks.entries.filter(taken).length,
    waitForWebhooks: async (count, timeoutMs) => {
      await records.webhooks.waitFor({ where: taken, count, timeoutMs });
    },
    received: () => records.sentTo(customer.phone).map((send) => send.text ?? `(${send.type})`),
    waitForReceived: async (count, timeoutMs) => {
      await graph.waitForSends({ to: customer.phone, count, timeoutMs });
    },
    seen(id) {
      const read = records.reads.entries.find((entry) => entry.messageId === id);
      return read ? (read.typing ? "read, typing" : "read") : null;
    },
    stop: () => graph.stop(),
  };
}
