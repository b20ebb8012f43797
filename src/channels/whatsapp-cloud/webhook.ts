import { Hono, type Context } from "hono";
import { BodyTooLarge, readBody } from "../../net/body.ts";
import { equalInConstantTime } from "../../net/constant-time.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { NotAccepted, type Deliver } from "../channel.ts";
import { ownNumberIn, parseWebhook } from "./payload.ts";
import { signatureMatches } from "./signature.ts";

/** Meta sends at most 3 MB. Source: Meta, webhooks/overview. */
export const maxWebhookBytes = 4 * 1024 * 1024;

/** A stranger who guesses signatures writes one line of log a minute. */
const warnEveryMs = 60_000;

/** Seconds until Meta should come again where the inside failed in a way of its own. */
const retryAfterSecs = 5;

export interface WebhookOptions {
  phoneNumberId: string;
  verifyToken: string;
  /** null: bodies are taken unsigned. */
  appSecret: string | null;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** null while nothing is taken: before the start and after the stop. */
  deliver(): Deliver | null;
  /** The own number (E.164) as a body names it. */
  onOwnNumber(phone: string): void;
}

/** `GET`, `HEAD` and `POST /whatsapp`. Source: Meta, webhooks/create-webhook-endpoint. */
export function webhookRoutes(options: WebhookOptions): Hono {
  const routes = new Hono();
  const refuse = refusals(options);
  routes.use("/whatsapp", async (context, next) => {
    await next();
    const status = String(context.res.status);
    options.metrics.webhookRequests.inc({ channel: "whatsapp", status });
  });
  routes.get("/whatsapp", (context) => handshake(context, options.verifyToken, refuse));
  routes.post("/whatsapp", (context) => receive(context, options, refuse));
  routes.all("/whatsapp", (context) => {
    context.header("Allow", "GET, HEAD, POST");
    return refuse(context, 405, "method not allowed");
  });
  return routes;
}

type Refuse = (
  context: Context,
  status: 400 | 401 | 403 | 405 | 413 | 503,
  error: string,
) => Response;

/** Answers an error as JSON, and says it in the log now and then. */
function refusals({ clock, log }: WebhookOptions): Refuse {
  const said = new Map<number, number>();
  return (context, status, error) => {
    const now = clock.now();
    if (now - (said.get(status) ?? -Infinity) >= warnEveryMs) {
      said.set(status, now);
      log.warn({ status, reason: error }, "webhook request refused");
    }
    return context.json({ error }, status);
  };
}

function handshake(context: Context, verifyToken: string, refuse: Refuse): Response {
  const mode = context.req.query("hub.mode");
  const tokenMatches = equalInConstantTime(
    context.req.query("hub.verify_token") ?? "",
    verifyToken,
  );
  if (mode !== "subscribe" || !tokenMatches) {
    return refuse(context, 403, "hub.mode or hub.verify_token does not match");
  }
  const challenge = context.req.query("hub.challenge");
  if (!challenge) return refuse(context, 400, "hub.challenge is missing");
  // Never taken for a page, whatever it holds.
  return context.body(challenge, 200, { "Content-Type": "text/plain; charset=UTF-8" });
}

async function receive(
  context: Context,
  options: WebhookOptions,
  refuse: Refuse,
): Promise<Response> {
  const tooLarge = () => refuse(context, 413, `the body is larger than ${maxWebhookBytes} bytes`);
  if (Number(context.req.header("content-length") ?? 0) > maxWebhookBytes) return tooLarge();
  let bytes: Uint8Array;
  try {
    bytes = await readBody(new Response(context.req.raw.body), maxWebhookBytes);
  } catch (error) {
    return error instanceof BodyTooLarge
      ? tooLarge()
      : refuse(context, 400, "the body did not arrive whole");
  }
  const { appSecret } = options;
  const signature = context.req.header("x-hub-signature-256");
  if (appSecret !== null && !signatureMatches(signature, bytes, appSecret)) {
    return refuse(context, 401, "X-Hub-Signature-256 is missing, malformed or wrong");
  }
  const body = parseJson(bytes);
  if (body === undefined) return refuse(context, 400, "the body is not JSON");
  return await deliver(context, body, options, refuse);
}

/** undefined where the bytes are no UTF-8 or no JSON. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

/** Answers 200 once everything is on disk, and 503 where Meta should come again. */
async function deliver(
  context: Context,
  body: unknown,
  options: WebhookOptions,
  refuse: Refuse,
): Promise<Response> {
  const { phoneNumberId, clock, log } = options;
  const events = parseWebhook(body, phoneNumberId, clock.now());
  const taker = options.deliver();
  try {
    if (!taker) throw new NotAccepted("stopping", retryAfterSecs, "nothing is taken now");
    if (events.length > 0) await taker(events);
  } catch (error) {
    const refusal = error instanceof NotAccepted ? error : null;
    if (!refusal) log.error({ error }, "a webhook could not be handed in");
    context.header("Retry-After", String(refusal?.retryAfterSecs ?? retryAfterSecs));
    return refuse(context, 503, refusal?.message ?? "the message cannot be taken now");
  }
  const phone = ownNumberIn(body, phoneNumberId);
  if (phone !== null) options.onOwnNumber(phone);
  return context.json({ status: "ok" });
}
