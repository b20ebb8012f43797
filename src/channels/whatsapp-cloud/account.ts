import * as v from "valibot";
import { once } from "../../runtime/once.ts";
import { canonicalPhone } from "../../config/numbers.ts";
import { jsonObject, optional, wholeNumber } from "../../net/json-object.ts";
import { harmless, sendFailure } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import type { Graph, GraphAnswer } from "./graph.ts";

/** The number we send as, as the Graph API describes it. */
export interface PhoneNumberInfo {
  /** E.164; null where Meta's display form is no number. */
  phone: string | null;
  /** Why Meta says that this number cannot send; null where it can. */
  blocked: SendFailure | null;
}

const text = optional(v.string());

const healthShape = once(() =>
  v.object({
    can_send_message: text,
    entities: optional(
      v.array(
        v.object({
          errors: optional(
            v.array(
              v.object({
                error_code: optional(wholeNumber),
                error_description: text,
                possible_solution: text,
              }),
            ),
          ),
        }),
      ),
    ),
  }),
);

const phoneNumberShape = once(() =>
  jsonObject({
    display_phone_number: text,
    health_status: optional(healthShape()),
  }),
);

/** Asks for the number. Source: Meta, phone number node; support/health-status. */
export async function phoneNumberInfo(
  graph: Graph,
  phoneNumberId: string,
  signal: AbortSignal,
): Promise<GraphAnswer<PhoneNumberInfo>> {
  const answer = await graph.call({
    method: "GET",
    path: `${encodeURIComponent(phoneNumberId)}?fields=display_phone_number,health_status`,
    answer: phoneNumberShape(),
    signal,
  });
  if (!answer.ok) return answer;
  const info = answer.value;
  return {
    ok: true,
    value: {
      phone: canonicalPhone(info.display_phone_number ?? ""),
      blocked: blockedBy(info.health_status),
    },
  };
}

function blockedBy(
  health: v.InferOutput<ReturnType<typeof healthShape>> | undefined,
): SendFailure | null {
  if (health?.can_send_message !== "BLOCKED") return null;
  const errors = (health.entities ?? []).flatMap((entity) => entity.errors ?? []);
  const [first] = errors;
  const why = harmless(`${first?.error_description ?? ""} ${first?.possible_solution ?? ""}`);
  return sendFailure(
    "hold",
    first?.error_code === undefined ? "blocked" : String(first.error_code),
    `Meta has blocked sending for this number. ${why || "See Account quality in WhatsApp Manager."}`,
  );
}
