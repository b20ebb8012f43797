import { errorAnswer, faultAnswer, json, meetFaults, type GraphAnswer } from "./answers.ts";
import { GraphRefusal, graphError, refuse } from "./errors.ts";
import { parseJson } from "./exchange.ts";
import type { Effect } from "./faults.ts";
import { isObject } from "./json.ts";
import type { SendRecord } from "./record.ts";
import type { GraphRequest } from "./request.ts";
import { checkSend, type CheckedMessage } from "./send-check.ts";
import { newWamid } from "./wamid.ts";
import type { GraphWorld } from "./world.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** `POST /{phone-number-id}/messages`: a message, or "mark read" with or without typing. */
export async function takeSend(
  world: GraphWorld,
  request: GraphRequest,
  phoneNumberId: string,
): Promise<GraphAnswer> {
  const at = world.now();
  const body = parseJson(request.body);
  let checked;
  try {
    checked = checkSend(body);
    if (
      checked.kind === "message" &&
      checked.mediaId !== null &&
      !world.media.get(checked.mediaId)
    ) {
      refuse(graphError(131009, `Media id ${checked.mediaId} does not exist`));
    }
  } catch (error) {
    if (error instanceof GraphRefusal && isObject(body) && body["status"] === undefined) {
      world.records.sends.add(refusedRecord(at, request.version, body, error.error.code));
    }
    throw error;
  }
  if (checked.kind === "read") {
    const fault = await meetFaults(world, "read", null);
    if (fault) return fault;
    const { messageId, typing } = checked;
    world.records.reads.add({ at, messageId, typing, known: world.knowsInbound(messageId) });
    return json({ success: true });
  }
  return takeMessage(
    world,
    request.version,
    phoneNumberId,
    checked,
    isObject(body) ? body : {},
    at,
  );
}

async function takeMessage(
  world: GraphWorld,
  version: string,
  phoneNumberId: string,
  message: CheckedMessage,
  body: Record<string, unknown>,
  at: number,
): Promise<GraphAnswer> {
  let effect: Exclude<Effect, { kind: "delay" }> | null = null;
  for (const struck of world.faults.strike("send", message.recipient)) {
    if (struck.kind === "delay") await world.pause(struck.ms);
    else effect = struck;
  }
  const record = (outcome: SendRecord["outcome"], wamid: string | null, code: number | null) =>
    world.records.sends.add({
      at,
      outcome,
      wamid,
      recipient: message.recipient,
      recipientKind: message.recipientKind,
      input: message.input,
      type: message.type,
      text: message.text,
      quote: message.quote,
      callbackData: message.callbackData,
      code,
      version,
      body,
    });
  const forced = effect && faultAnswer(effect);
  if (effect && forced && effect.kind !== "lose-answer") {
    const outcome = ({ error: "refused", http: "refused", drop: "dropped", hang: "hung" } as const)[
      effect.kind === "fail-later" ? "error" : effect.kind
    ];
    record(outcome, null, effect.kind === "error" ? effect.code : null);
    return forced;
  }
  const limited = world.limiter.refuse(message.recipient, world.now());
  if (limited) {
    record("refused", null, limited.code);
    return errorAnswer(limited);
  }
  const wamid = newWamid(message.recipient, "out");
  record(forced ? "lost" : "accepted", wamid, null);
  const failure = effect?.kind === "fail-later" ? effect.code : windowFailure(world, message);
  const { recipient, recipientKind, callbackData } = message;
  world.statuses.accepted(
    { wamid, recipient, recipientKind, callbackData },
    phoneNumberId,
    failure,
  );
  return forced ?? json(acceptedBody(message, wamid));
}

/** 131047 where the customer service window is closed and counts. */
function windowFailure(world: GraphWorld, message: CheckedMessage): number | null {
  if (!world.settings.enforceWindow || message.type === "template") return null;
  const lastWrote = world.lastWrote(message.recipient);
  return lastWrote !== undefined && world.now() - lastWrote < dayMs ? null : 131047;
}

function acceptedBody(message: CheckedMessage, wamid: string): unknown {
  const contact =
    message.recipientKind === "user_id"
      ? { input: message.input, user_id: message.recipient }
      : { input: message.input, wa_id: message.recipient };
  return { messaging_product: "whatsapp", contacts: [contact], messages: [{ id: wamid }] };
}

function refusedRecord(
  at: number,
  version: string,
  body: Record<string, unknown>,
  code: number,
): SendRecord {
  const input = body["to"] ?? body["recipient"];
  const given = typeof input === "string" ? input : "";
  return {
    at,
    outcome: "refused",
    wamid: null,
    recipient: given.replace(/^\+/, ""),
    recipientKind: body["recipient"] === undefined ? "phone" : "user_id",
    input: given,
    type: typeof body["type"] === "string" ? body["type"] : "text",
    text: null,
    quote: null,
    callbackData: null,
    code,
    version,
    body,
  };
}
