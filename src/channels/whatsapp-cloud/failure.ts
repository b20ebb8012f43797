import { harmless, sendFailure, unreached } from "../failure.ts";
import type { SendFailure } from "../message.ts";

/** An error of the Graph API as far as it decides anything: in an answer, or in `statuses[].errors`. */
export interface GraphError {
  code: number;
  title?: string | undefined;
  message?: string | undefined;
  error_data?: { details?: string | undefined } | undefined;
  is_transient?: boolean | undefined;
}

interface Rule {
  codes: (number | [from: number, to: number])[];
  retry: SendFailure["retry"];
  /** What a person can do, or has to know. */
  hint: string;
  /** Meta's own wish where it is known in advance. */
  afterMs?: number;
}

const minute = 60_000;

/**
 * What each code means for a delivery. Source: Meta, support/error-codes (copy of 11 September 2026). Two are a choice
 * of ours: 130497 bars the account from one country, not from sending, so only that delivery fails; 131037 (display
 * name not approved) fails every message, so the channel is held as for the other codes that an operator must settle.
 */
const rules: Rule[] = [
  {
    codes: [190],
    retry: "hold",
    hint: "The access token is invalid, expired or revoked: create a system user token that does not expire and set access_token.",
  },
  {
    codes: [0, 3, 10, [200, 299], 131005],
    retry: "hold",
    hint: "The access token may not send for this number: give its system user whatsapp_business_messaging and the WhatsApp account as an asset.",
  },
  {
    codes: [368, 131031],
    retry: "hold",
    hint: "Meta has restricted or locked the WhatsApp Business account: see Account quality in Business Support Home.",
  },
  {
    codes: [131037],
    retry: "hold",
    hint: "The display name of the number is not approved yet: settle it in WhatsApp Manager.",
  },
  {
    codes: [131042],
    retry: "hold",
    hint: "Meta cannot charge for messages: check the payment method and the credit line of the WhatsApp account.",
  },
  {
    codes: [131045, 133010],
    retry: "hold",
    hint: "The number is not registered for the Cloud API: register it in WhatsApp Manager or with POST /register.",
  },
  {
    codes: [4, 80007],
    retry: "backoff",
    hint: "The app or the account has used up its calls to Meta for now.",
    afterMs: minute,
  },
  {
    codes: [130429, 133016],
    retry: "backoff",
    hint: "The number sends more messages a second than Meta allows it: lower messages_per_second.",
  },
  {
    codes: [131056],
    retry: "recipient",
    hint: "Too many messages to this one person in a short time; Meta wants a pause.",
  },
  {
    codes: [131048, 131064],
    retry: "backoff",
    hint: "Meta limits this number because people blocked or reported it: see its quality rating in WhatsApp Manager.",
    afterMs: 60 * minute,
  },
  {
    codes: [131057],
    retry: "backoff",
    hint: "Meta is upgrading the throughput of the number; that takes a few minutes.",
    afterMs: minute,
  },
  {
    codes: [1, 2, 131000, 131016],
    retry: "backoff",
    hint: "Meta has a passing trouble of its own.",
  },
  {
    codes: [33, 100, 131008, 131009],
    retry: "no",
    hint: "Meta does not accept this request: check phone_number_id and graph_api_version, and what the agent sent.",
  },
  { codes: [131021], retry: "no", hint: "A number cannot send to itself." },
  { codes: [131051], retry: "no", hint: "Meta does not support this type of message." },
  {
    codes: [131053],
    retry: "no",
    hint: "Meta could not take the file: check that its content is what its type says.",
  },
  {
    codes: [131052],
    retry: "no",
    hint: "Meta could not fetch the customer's file; ask them to send it again.",
  },
  {
    codes: [[132000, 132069]],
    retry: "no",
    hint: "The template is missing, paused or does not fit: see WhatsApp Manager.",
  },
  {
    codes: [131026],
    retry: "no",
    hint: "The message cannot be delivered: no WhatsApp at that address, an old version, or the terms not accepted.",
  },
  {
    codes: [131030],
    retry: "no",
    hint: "The number in use is a test number: add the recipient to its list in the app dashboard.",
  },
  {
    codes: [131047],
    retry: "no",
    hint: "More than 24 hours since the customer wrote: only a template may be sent until they write again.",
  },
  {
    codes: [131049],
    retry: "no",
    hint: "Meta holds messages to this person back to protect them from too many; not before 24 hours from now.",
  },
  { codes: [131050], retry: "no", hint: "The person has opted out of such messages." },
  {
    codes: [130403],
    retry: "no",
    hint: "The person has blocked this number, or was blocked by it.",
  },
  {
    codes: [130472],
    retry: "no",
    hint: "The person is part of an experiment of Meta's and gets no such messages.",
  },
  {
    codes: [130497],
    retry: "no",
    hint: "Meta does not let this account write to people in that country.",
  },
  {
    codes: [131062, 131063],
    retry: "no",
    hint: "Meta does not take a user id (BSUID) here: the phone number is needed.",
  },
];

function ruleFor(code: number): Rule | undefined {
  return rules.find((rule) =>
    rule.codes.some((it) =>
      typeof it === "number" ? it === code : code >= it[0] && code <= it[1],
    ),
  );
}

/**
 * What a Graph error means for a delivery: by its code alone, since subcodes are deprecated; the platform's details
 * follow the hint, without numbers and tokens. A code that is not known is tried again only where Meta calls it
 * transient or the status is 429 or 5xx. `afterMs` is the answer's Retry-After.
 */
export function classifyGraphError(
  error: GraphError,
  answer: { status?: number; afterMs?: number | null } = {},
): SendFailure {
  const rule = ruleFor(error.code);
  const words = harmless(error.error_data?.details ?? "") || (rule ? "" : ownWords(error));
  const said = words === "" ? "" : ` Meta says: ${words}`;
  const status = answer.status ?? 0;
  const passing = error.is_transient === true || status === 429 || status >= 500;
  const retry = rule?.retry ?? (passing ? "backoff" : "no");
  const hint = rule?.hint ?? `Meta refused with code ${error.code}.`;
  const wishes = [rule?.afterMs, answer.afterMs].filter((it) => typeof it === "number");
  const afterMs = wishes.length > 0 ? Math.max(...wishes) : null;
  return sendFailure(retry, String(error.code), hint + said, afterMs);
}

function ownWords(error: GraphError): string {
  return harmless(error.message ?? error.title ?? "");
}

/** An answer that is not the Graph API's: something on the way gave it, or a Meta server that fell over. */
export function classifyForeignAnswer(status: number, afterMs: number | null): SendFailure {
  const code = `http_${status}`;
  if (status >= 500) {
    const hint = `Meta answered ${status} without saying why.`;
    return unreached(sendFailure("ambiguous", code, hint, afterMs));
  }
  if (status === 401 || status === 407) {
    return sendFailure(
      "hold",
      code,
      `Access was refused (${status}): check access_token and proxy_url.`,
    );
  }
  if (status === 429) {
    return sendFailure("backoff", code, "Too many requests to Meta for now.", afterMs);
  }
  if (status === 413) {
    return sendFailure("no", code, "The file is larger than Meta, or a proxy on the way, takes.");
  }
  if (status >= 300) {
    const hint = `Something that is not the Graph API answered ${status}: check api_base_url and proxy_url.`;
    return unreached(sendFailure("backoff", code, hint, afterMs));
  }
  return unreached(
    sendFailure(
      "ambiguous",
      code,
      "The answer was none of the Graph API's: check api_base_url and proxy_url.",
    ),
  );
}
