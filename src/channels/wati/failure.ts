import * as v from "valibot";
import { jsonObject } from "../../net/json-object.ts";
import { harmless, sendFailure, unreached } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import { text } from "./shapes.ts";

/** WATI answers errors in several forms: `code` and `message` (v3), `result` and `info` (v1), ASP.NET's `title`. */
const answerShape = jsonObject({
  ok: v.optional(v.unknown()),
  result: v.optional(v.unknown()),
  success: v.optional(v.unknown()),
  message: text,
  info: text,
  error: text,
  detail: text,
  title: text,
});

export interface WatiAnswer {
  status: number;
  /** Parsed JSON; undefined where the answer is none. */
  body: unknown;
  /** The answer had no body at all. */
  empty: boolean;
  /** `Retry-After`, ms. */
  afterMs: number | null;
}

/**
 * What an answer means for a delivery; null is success. A 200 may still say no (`result: false`), and a 5xx may have
 * been accepted: "A write may already have been accepted. Treat its result as unknown." Source:
 * docs.wati.io/v2.6/reference/errors; the phrases are met in the field.
 */
export function classifyAnswer({ status, body, empty, afterMs }: WatiAnswer): SendFailure | null {
  const parsed = v.safeParse(answerShape, body);
  const words = parsed.success ? wordsOf(parsed.output) : "";
  const said = words === "" ? "" : `: ${words}`;
  if (status >= 200 && status < 300) {
    if (!parsed.success) return empty || Array.isArray(body) ? null : foreign("hold", status);
    if (!refuses(parsed.output)) return null;
    return refusal(words, said);
  }
  switch (status) {
    case 400:
    case 422:
      return refusal(words, said);
    case 401:
      return sendFailure(
        "hold",
        "401",
        `WATI refuses the token${said}: put a valid one from Connector > API Tokens into api_token.`,
      );
    case 402:
      return sendFailure("hold", "402", `WATI wants a payment or a larger plan${said}.`);
    case 403:
      return sendFailure(
        "hold",
        "403",
        `WATI forbids it${said}: the token needs the scopes conversationsv3:read and conversationsv3:write.`,
      );
    case 404:
      if (!parsed.success) return foreign("backoff", status);
      return sendFailure(
        "no",
        "404",
        `WATI knows no such conversation${said}. Has this person written before?`,
      );
    case 408:
      return sendFailure("ambiguous", "408", "WATI did not take the request in time.", afterMs);
    case 409:
      return sendFailure(
        "no",
        "409",
        "The person has open conversations on several channels of WATI: set tenant_id to the name or number of one.",
      );
    case 413:
      return sendFailure("no", "413", "The file is too large for WATI.");
    case 429:
      return sendFailure("backoff", "429", `WATI's rate or plan limit is reached${said}.`, afterMs);
  }
  if (status >= 500) {
    const hint = `WATI has a problem (${status})${said}.`;
    return unreached(sendFailure("ambiguous", String(status), hint, afterMs));
  }
  if (status < 400 || status === 405) return foreign("backoff", status);
  return sendFailure("no", String(status), `WATI refuses the message (${status})${said}.`);
}

/** An answer that does not look like WATI's: the address leads elsewhere. */
function foreign(retry: "hold" | "backoff", status: number): SendFailure {
  const hint = `What answers (${status}) does not look like WATI: check api_url, which ends before /api.`;
  return unreached(sendFailure(retry, "foreign_answer", hint));
}

function refusal(words: string, said: string): SendFailure {
  if (/\btoken|unauthori[sz]ed|api key/i.test(words)) {
    return sendFailure("hold", "token", `WATI refuses the token${said}: check api_token.`);
  }
  if (/\b24\s?-?h(ou)?rs?\b|session|window|expired|ticket/i.test(words)) {
    return sendFailure(
      "no",
      "window_closed",
      `The 24 hours since the person's last message are over${said}: only a template gets through now.`,
    );
  }
  if (/\brate\b|too many|throttl/i.test(words)) {
    return sendFailure("backoff", "rate_limited", `WATI's rate limit is reached${said}.`);
  }
  return sendFailure("no", "refused", `WATI refuses the message${said || " without a reason"}.`);
}

type Answer = v.InferOutput<typeof answerShape>;

function refuses({ ok, result, success }: Answer): boolean {
  const no = (value: unknown) =>
    value === false || (typeof value === "string" && /^(false|fail|error)/i.test(value));
  return no(ok) || no(result) || no(success);
}

function wordsOf(answer: Answer): string {
  const first = [answer.message, answer.info, answer.error, answer.detail, answer.title].find(
    Boolean,
  );
  return harmless(first ?? "", 160).replace(/[.:\s]+$/, "");
}
