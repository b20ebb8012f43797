import { request } from "node:http";
import type { Clock } from "../../runtime/clock.ts";

export interface WatiWebhookSettings {
  /** Callback URL on loopback; null: nothing is sent. */
  url: string | null;
  /** Headers sent along, such as `authorization`. */
  headers: Record<string, string>;
  /** Tries of one event; WATI promises no schedule. */
  attempts: number;
  /** Wait after the first failed try, ms; doubles. */
  retryMs: number;
}

/** Posts one event until it is answered 2xx; the last status, null where nobody answered. */
export async function postEvent(
  settings: WatiWebhookSettings,
  event: unknown,
  clock: Clock,
): Promise<number | null> {
  let status: number | null = null;
  for (let attempt = 0; attempt < settings.attempts && settings.url !== null; attempt++) {
    if (attempt > 0) {
      const ms = settings.retryMs * 2 ** (attempt - 1);
      await new Promise<void>((resolve) => void clock.after(ms, resolve));
    }
    status = await post(settings.url, JSON.stringify(event), settings.headers);
    if (status !== null && status >= 200 && status < 300) break;
  }
  return status;
}

// node:http and not fetch: Bun's fetch would send loopback calls through HTTP_PROXY.
function post(url: string, body: string, headers: Record<string, string>): Promise<number | null> {
  return new Promise((resolve) => {
    const bytes = Buffer.from(body, "utf8");
    const posting = request(
      url,
      {
        method: "POST",
        agent: false,
        timeout: 20_000,
        headers: { "content-type": "application/json", "content-length": bytes.length, ...headers },
      },
      (answer) => {
        answer.resume();
        answer.on("close", () => resolve(answer.complete ? (answer.statusCode ?? null) : null));
      },
    );
    posting.on("timeout", () => posting.destroy(new Error("timeout")));
    posting.on("error", () => resolve(null));
    posting.end(bytes);
  });
}
