import type { Context } from "hono";
import { getQueryParams } from "hono/utils/url";
import { equalInConstantTime } from "../../net/constant-time.ts";
import type { Routes } from "../../net/routes.ts";
import { parseJson, webhookRoutes, type IntakeOptions } from "../intake.ts";
import { parseWebhook } from "./payload.ts";

/**
 * `GET`, `HEAD` and `POST /wati`. WATI signs nothing and knows no handshake; a secret of our own in the address or a
 * header is all that tells its calls from a stranger's. Source: docs.wati.io/reference/session-message-failed.
 */
export function watiRoutes(
  options: Omit<IntakeOptions, "channel" | "path" | "onOtherNumber"> & {
    /** null: every call is taken. */
    secret: string | null;
    /** What is for another number (E.164) is ignored; null: all is taken. */
    ownNumber: string | null;
  },
): Routes {
  const { secret, ownNumber, clock, log } = options;
  const onOtherNumber = (number: string) =>
    log.warn(
      // A whole number would be masked but for its country, which may be that of all of them.
      { number: `…${number.slice(-4)}` },
      "a webhook for another number than tenant_id is ignored, as are all that follow",
    );
  return webhookRoutes(
    { ...options, channel: "wati", path: "/wati", onOtherNumber },
    {
      get(context, intake) {
        const challenge = context.req.query("hub.challenge");
        if (!challenge) return intake.refuse(context, 400, "hub.challenge is missing");
        // Anybody's words, given back without a question: no browser may take them for a page.
        return context.body(challenge, 200, {
          "Content-Type": "text/plain; charset=UTF-8",
          "X-Content-Type-Options": "nosniff",
        });
      },
      async post(context, intake) {
        const tooLarge = intake.refuseTooLarge(context);
        if (tooLarge) return tooLarge;
        if (secret !== null && !carriesSecret(context, secret)) {
          return intake.refuse(context, 401, "the webhook secret is missing or wrong");
        }
        const bytes = await intake.readBody(context);
        if (bytes instanceof Response) return bytes;
        const body = parseJson(bytes);
        if (body === undefined) return intake.refuse(context, 400, "the body is not JSON");
        return await intake.handIn(context, parseWebhook(body, clock.now(), ownNumber));
      },
    },
  );
}

/** In `X-Revka-Webhook-Secret`, `Authorization: Bearer`, or the query `secret`; any of them will do. */
function carriesSecret(context: Context, secret: string): boolean {
  const { req } = context;
  const bearer = /^Bearer\s+(.+)$/i.exec(req.header("authorization") ?? "")?.[1];
  // Pasted into the address as it is: a form would write a space as a plus, base64 means the plus.
  const pasted = getQueryParams(req.url.replaceAll("+", "%2B"), "secret");
  const carried = [
    ...readings(req.header("x-revka-webhook-secret") ?? ""),
    ...readings(bearer ?? ""),
    ...(req.queries("secret") ?? []),
    ...(Array.isArray(pasted) ? pasted : []),
  ];
  // No early end: how long it takes must not tell which of them was compared.
  return carried.filter((value) => equalInConstantTime(value, secret)).length > 0;
}

/** A header is handed out as Latin-1, a letter a byte; whoever sends other letters means the bytes of UTF-8. */
function readings(header: string): (string | Uint8Array)[] {
  return [header, Buffer.from(header, "latin1")];
}
