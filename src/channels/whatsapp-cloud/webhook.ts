import type { Context } from "hono";
import { equalInConstantTime } from "../../net/constant-time.ts";
import type { Routes } from "../../net/routes.ts";
import { parseJson, webhookRoutes, type Intake, type IntakeOptions } from "../intake.ts";
import { ownNumberIn, parseWebhook } from "./payload.ts";
import { signatureMatches } from "./signature.ts";

export interface CloudWebhookOptions extends Omit<
  IntakeOptions,
  "channel" | "path" | "onOtherNumber"
> {
  phoneNumberId: string;
  verifyToken: string;
  /** null: bodies are taken unsigned. */
  appSecret: string | null;
  /** The own number (E.164) as a body names it. */
  onOwnNumber(phone: string): void;
}

/** `GET`, `HEAD` and `POST /whatsapp`. Source: Meta, webhooks/create-webhook-endpoint. */
export function cloudRoutes(options: CloudWebhookOptions): Routes {
  const onOtherNumber = (id: string) =>
    options.log.warn(
      { phone_number_id: id },
      "a webhook for another phone_number_id is ignored, as are all that follow: is the config's right? (a test of Meta's dashboard names one of Meta's)",
    );
  return webhookRoutes(
    { ...options, channel: "whatsapp", path: "/whatsapp", onOtherNumber },
    {
      get: (context, intake) => handshake(context, intake, options.verifyToken),
      post: (context, intake) => receive(context, intake, options),
    },
  );
}

function handshake(context: Context, intake: Intake, verifyToken: string): Response {
  const mode = context.req.query("hub.mode");
  const token = context.req.query("hub.verify_token") ?? "";
  const tokenMatches = equalInConstantTime(token, verifyToken);
  if (mode !== "subscribe" || !tokenMatches) {
    return intake.refuse(context, 403, "hub.mode or hub.verify_token does not match");
  }
  const challenge = context.req.query("hub.challenge");
  if (!challenge) return intake.refuse(context, 400, "hub.challenge is missing");
  // Never taken for a page, whatever it holds.
  return context.body(challenge, 200, { "Content-Type": "text/plain; charset=UTF-8" });
}

async function receive(
  context: Context,
  intake: Intake,
  { phoneNumberId, appSecret, clock, onOwnNumber }: CloudWebhookOptions,
): Promise<Response> {
  const tooLarge = intake.refuseTooLarge(context);
  if (tooLarge) return tooLarge;
  const bytes = await intake.readBody(context);
  if (bytes instanceof Response) return bytes;
  const signature = context.req.header("x-hub-signature-256");
  if (appSecret !== null && !signatureMatches(signature, bytes, appSecret)) {
    return intake.refuse(context, 401, "X-Hub-Signature-256 is missing, malformed or wrong");
  }
  const body = parseJson(bytes);
  if (body === undefined) return intake.refuse(context, 400, "the body is not JSON");
  const answer = await intake.handIn(context, parseWebhook(body, phoneNumberId, clock.now()));
  const phone = answer.ok ? ownNumberIn(body, phoneNumberId) : null;
  if (phone !== null) onOwnNumber(phone);
  return answer;
}
