import {
  envelope,
  inboundMessage,
  serialise,
  type Business,
} from "../../src/simulator/graph/bodies.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { whatsappSettings } from "../../src/simulator/graph/daemon-settings.ts";
import type { GraphAccount } from "../../src/simulator/graph/options.ts";
import { signature } from "../../src/simulator/graph/webhooks.ts";
import { spawnGraph } from "../../test/e2e/support/graph.ts";
import type { Platform, PlatformOptions, Webhooks } from "./platform.ts";

/** Meta's webhooks: signed, several messages in one body. */
export function cloudWebhooks(account: GraphAccount): Webhooks {
  const business: Business = {
    businessAccountId: account.businessAccountId,
    phoneNumberId: account.phoneNumberId ?? "",
    displayPhoneNumber: account.displayPhoneNumber,
  };
  return {
    path: "/whatsapp",
    batch: Number.POSITIVE_INFINITY,
    compose(phone, texts) {
      const built = texts.map((text) =>
        inboundMessage({ from: { phone }, content: content.text(text) }, business, Date.now()),
      );
      const value = {
        contacts: built.slice(0, 1).map(({ contact }) => contact),
        messages: built.map(({ message }) => message),
      };
      const bytes = serialise(envelope(business, value));
      return { ids: built.map(({ id }) => id), bodies: [bytes] };
    },
    headers: (body) => ({ "x-hub-signature-256": signature(account.appSecret, body) }),
  };
}

/** The Graph API, in a process of its own. */
export async function cloudPlatform(options: PlatformOptions): Promise<Platform> {
  const { faults } = options;
  const graph = await spawnGraph({
    seed: options.seed,
    statuses: { states: faults.statuses ? ["sent", "delivered"] : [], delayMs: 5 },
    webhooks: {
      url: `${options.daemon}/whatsapp`,
      retry: { initialMs: 20, factor: 1.5, maxMs: 200, giveUpAfterMs: 600_000 },
    },
  });
  if (faults.loseAnswer > 0) {
    await graph.addFault({ effect: { kind: "lose-answer" }, probability: faults.loseAnswer });
  }
  if (faults.drop > 0) await graph.addFault({ effect: { kind: "drop" }, probability: faults.drop });
  let delay: number | null = null;
  return {
    url: graph.url,
    webhooks: cloudWebhooks(graph.account),
    channels: (url) => ({
      whatsapp: {
        ...whatsappSettings(graph.account, url),
        allowed_numbers: ["*"],
        status_grace_secs: options.statusGraceSecs,
        messages_per_second: 1000,
      },
    }),
    async answerAfter(ms) {
      if (delay !== null) await graph.removeFault(delay);
      delay = ms === null ? null : await graph.addFault({ effect: { kind: "delay", ms } });
    },
    async accepted() {
      const sends = (await graph.records("sends")).filter((send) => send.wamid !== null);
      return sends.map((send) => ({
        chat: send.recipient,
        text: send.text,
        deliveryId: send.callbackData,
      }));
    },
    idle: () => graph.idle(10_000),
    stop: () => graph.stop(),
  };
}
