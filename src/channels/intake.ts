import type { Context } from "hono";
import { BodyTooLarge, readBody } from "../net/body.ts";
import { Routes } from "../net/routes.ts";
import type { Clock } from "../runtime/clock.ts";
import { TimeLimit } from "../runtime/time-limit.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import { NotAccepted, type Deliver } from "./channel.ts";
import type { ChannelName, InboundEvent } from "./message.ts";
import { Reception } from "./reception.ts";

/** What every webhook has in common: limits, refusals, and an answer that waits for the disk. */

/** No platform sends more in one body. */
export const maxWebhookBytes = 4 * 1024 * 1024;

/** How long a body may take to arrive, ms. */
const bodyTimeoutMs = 30_000;

/** A stranger who guesses secrets writes one line of log a minute. */
const warnEveryMs = 60_000;

/** Seconds until the platform should come again where the inside failed in a way of its own. */
const retryAfterSecs = 5;

export interface IntakeOptions {
  channel: ChannelName;
  /** Below the gateway's prefix. */
  path: string;
  clock: Clock;
  log: Logger;
  metrics: Metrics;
  /** Hears, once, of the first that is for another number than the config's: all may be. */
  onOtherNumber(number: string): void;
  /** null while nothing is taken: before the start and after the stop. */
  deliver(): Deliver | null;
}

export type RefusalStatus = 400 | 401 | 403 | 405 | 413 | 503;

export interface Intake {
  /** Answers an error as JSON, and says it in the log now and then. */
  refuse(context: Context, status: RefusalStatus, error: string): Response;
  /** A declared length over the limit is refused before anything else is looked at; null where it is none. */
  refuseTooLarge(context: Context): Response | null;
  /** The whole body, or the refusal of one that is too long or breaks off; after {@link refuseTooLarge}. */
  readBody(context: Context): Promise<Uint8Array | Response>;
  /** Answers 200 once everything is on disk, and 503 with `Retry-After` where the platform should come again. */
  handIn(context: Context, events: InboundEvent[]): Promise<Response>;
}

/** `GET`, `HEAD` and `POST` on one path, counted by answer; every other method is 405. */
export function webhookRoutes(
  options: IntakeOptions,
  handlers: {
    get(context: Context, intake: Intake): Response | Promise<Response>;
    post(context: Context, intake: Intake): Response | Promise<Response>;
  },
): Routes {
  const { channel, path, metrics } = options;
  const intake = createIntake(options);
  const counted = async (answer: Response | Promise<Response>) => {
    const response = await answer;
    metrics.webhookRequests.inc({ channel, status: `${response.status}` });
    return response;
  };
  const routes = new Routes();
  routes.get(path, (context) => counted(handlers.get(context, intake)));
  routes.post(path, (context) => counted(handlers.post(context, intake)));
  routes.all(path, (context) => {
    context.header("Allow", "GET, HEAD, POST");
    return counted(intake.refuse(context, 405, "method not allowed"));
  });
  return routes;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** undefined where the bytes are no UTF-8 or no JSON. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(bytes));
  } catch {
    return undefined;
  }
}

/** A declared length is one that the server holds the sender to: no need for the dearer stream. */
async function received(request: Request): Promise<Uint8Array> {
  return request.headers.has("content-length")
    ? new Uint8Array(await request.arrayBuffer())
    : await readBody(new Response(request.body), maxWebhookBytes);
}

function createIntake({ clock, log, deliver, onOtherNumber }: IntakeOptions): Intake {
  let toldOfOther = false;
  const tellOfOther = (events: InboundEvent[]) => {
    if (toldOfOther) return;
    for (const event of events) {
      if (event.kind !== "ignored" || event.number === undefined) continue;
      toldOfOther = true;
      return onOtherNumber(event.number);
    }
  };
  const said = new Map<number, number>();
  const reception = new Reception(maxWebhookBytes);
  // Who sends a byte now and then does not keep the room of a body for ever.
  const limit = new TimeLimit(clock, bodyTimeoutMs);
  const refuse: Intake["refuse"] = (context, status, error) => {
    const now = clock.now();
    if (Math.abs(now - (said.get(status) ?? -Infinity)) >= warnEveryMs) {
      said.set(status, now);
      log.warn({ status, reason: error }, "webhook request refused");
    }
    return context.json({ error }, status);
  };
  const tooLarge = (context: Context) =>
    refuse(context, 413, `the body is larger than ${maxWebhookBytes} bytes`);
  return {
    refuse,
    refuseTooLarge: (context) =>
      Number(context.req.header("content-length") ?? 0) > maxWebhookBytes
        ? tooLarge(context)
        : null,
    async readBody(context) {
      const declared = context.req.header("content-length");
      const leave = reception.enter(declared === undefined ? null : Number(declared));
      if (!leave) {
        context.header("Retry-After", String(retryAfterSecs));
        return refuse(context, 503, "too many bodies are arriving");
      }
      try {
        const bytes = await limit.within(received(context.req.raw), "the body is late");
        return bytes.length > maxWebhookBytes ? tooLarge(context) : bytes;
      } catch (error) {
        return error instanceof BodyTooLarge
          ? tooLarge(context)
          : refuse(context, 400, "the body did not arrive whole");
      } finally {
        leave();
      }
    },
    async handIn(context, events) {
      tellOfOther(events);
      const taker = deliver();
      try {
        if (!taker) throw new NotAccepted("stopping", retryAfterSecs, "nothing is taken now");
        if (events.length > 0) await taker(events);
      } catch (error) {
        const refusal = error instanceof NotAccepted ? error : null;
        if (!refusal) log.error({ error }, "a webhook could not be handed in");
        context.header("Retry-After", String(refusal?.retryAfterSecs ?? retryAfterSecs));
        return refuse(context, 503, refusal?.message ?? "the message cannot be taken now");
      }
      return Response.json({ status: "ok" });
    },
  };
}
