import { expect } from "bun:test";
import { envelope, inboundMessage } from "../../../src/simulator/graph/bodies.ts";
import { content } from "../../../src/simulator/graph/content.ts";
import type { GraphSimulator } from "../../../src/simulator/graph.ts";
import { until } from "../../support/until.ts";
import { postWebhook } from "./webhook.ts";

/** Webhooks of Meta's that a daemon does not take. */

/** Meta comes again soon, so that a test need not wait for it. */
export const impatient = { retry: { initialMs: 50, factor: 1, maxMs: 50, giveUpAfterMs: 60_000 } };

/** Waits until a webhook was answered 503, which is then to come again. */
export async function refusedOnce(graph: GraphSimulator, lines: readonly string[]): Promise<void> {
  await until("a webhook is refused", () =>
    lines.some((line) => line.includes("webhook request refused")),
  );
  expect(graph.pending).toBeGreaterThan(0);
}

/** What Meta would see for one more message. */
export async function answerTo(graph: GraphSimulator, from: { phone: string }) {
  const { businessAccountId, phoneNumberId, displayPhoneNumber, appSecret } = graph.account;
  const business = { businessAccountId, phoneNumberId: phoneNumberId ?? "", displayPhoneNumber };
  const one = { from, content: content.text("one more") };
  const { message } = inboundMessage(one, business, Date.now());
  const answer = await postWebhook(
    graph.settings.webhooks.url ?? "",
    envelope(business, { messages: [message] }),
    { appSecret },
  );
  return { status: answer.status, retryAfter: answer.headers.get("retry-after") };
}
