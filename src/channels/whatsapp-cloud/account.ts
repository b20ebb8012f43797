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
  verifiedName: string | null;
  /** `GREEN`, `YELLOW`, `RED`, `UNKNOWN`. */
  qualityRating: string | null;
  /** `CONNECTED` and others. */
  status: string | null;
  /** `APPROVED` and others. */
  nameStatus: string | null;
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
          entity_type: text,
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
    verified_name: text,
    quality_rating: text,
    status: text,
    name_status: text,
    health_status: optional(healthShape()),
  }),
);

const phoneNumberFields =
  "display_phone_number,verified_name,quality_rating,status,name_status,health_status";

/** Asks for the number. Source: Meta, phone number node; support/health-status. */
export async function phoneNumberInfo(
  graph: Graph,
  phoneNumberId: string,
  signal: AbortSignal,
): Promise<GraphAnswer<PhoneNumberInfo>> {
  const answer = await graph.call({
    method: "GET",
    path: `${encodeURIComponent(phoneNumberId)}?fields=${phoneNumberFields}`,
    answer: phoneNumberShape(),
    signal,
  });
  if (!answer.ok) return answer;
  const info = answer.value;
  return {
    ok: true,
    value: {
      phone: canonicalPhone(info.display_phone_number ?? ""),
      verifiedName: info.verified_name ?? null,
      qualityRating: info.quality_rating ?? null,
      status: info.status ?? null,
      nameStatus: info.name_status ?? null,
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
