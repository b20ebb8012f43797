import { setTimeout as pause } from "node:timers/promises";
import { seededRandom } from "../../src/simulator/graph/random.ts";
import { createWatiSimulator } from "../../src/simulator/wati.ts";
import { messageEvent, newWamid, newWatiId } from "../../src/simulator/wati/events.ts";
import type { Platform, PlatformOptions, Webhooks } from "./platform.ts";

const secret = "torture-webhook-secret";

/** WATI's webhooks: one message a body, told of twice, under the names of two events. */
const webhooks: Webhooks = {
  path: "/wati",
  batch: 1,
  compose(phone, texts) {
    const message = { from: phone, text: texts[0] ?? "", id: newWatiId(), wamid: newWamid() };
    const bodies = (["message", "message_bsuid"] as const).map((variant) =>
      new TextEncoder().encode(
        JSON.stringify(messageEvent(message, variant, "17435002445", Date.now())),
      ),
    );
    return { ids: [message.wamid], bodies };
  },
  headers: () => ({ "x-revka-webhook-secret": secret }),
};

export async function watiPlatform(options: PlatformOptions): Promise<Platform> {
  const random = seededRandom(options.seed);
  const { loseAnswer, drop, statuses } = options.faults;
  const wati = createWatiSimulator({
    statuses,
    webhook: {
      url: `${options.daemon}/wati`,
      headers: { "x-revka-webhook-secret": secret },
      attempts: 12,
      retryMs: 20,
    },
  });
  const { url, close } = await wati.start();
  wati.faults.add({ effect: { kind: "lose-answer" }, when: () => random() < loseAnswer });
  wati.faults.add({ effect: { kind: "drop" }, when: () => random() < drop });
  if (!statuses) wati.faults.add({ effect: { kind: "http", status: 403 }, on: "history" });
  return {
    url,
    webhooks,
    channels: (at) => ({
      wati: {
        api_token: wati.token,
        api_url: at,
        webhook_secret: secret,
        allowed_numbers: ["*"],
      },
    }),
    async answerAfter(ms) {
      wati.beforeAnswer = () => (ms === null ? undefined : pause(ms));
    },
    // WATI is told no id of ours: which delivery a text was of is in the store.
    async accepted({ deliveries }) {
      const times = new Map<string, number>();
      return wati.received.map(({ person, text }) => {
        const time = times.get(text ?? "") ?? 0;
        times.set(text ?? "", time + 1);
        const ids = deliveries.get(text ?? "") ?? [];
        return { chat: person, text, deliveryId: ids[Math.min(time, ids.length - 1)] ?? null };
      });
    },
    idle: async () => {},
    stop: close,
  };
}
