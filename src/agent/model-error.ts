import * as v from "valibot";
import { AgentError } from "./agent.ts";
import type { Provider } from "./providers.ts";

/** What an operator can do about a status. */
const advice: Record<number, string> = {
  400: "the request is refused; check default_model and the settings",
  401: "the key is refused; check api_key",
  402: "the account has no credit left",
  403: "the key may not do this; check its permissions",
  404: "there is no such model or address; check default_model and api_url",
  408: "it timed out",
  413: "the conversation is too long; lower [agent] max_history_messages",
  429: "too many requests, or the quota is used up",
  529: "it is overloaded",
};

/** May the same request well succeed after this status? All else under 500 stays as it is. */
export function isPassing(status: number): boolean {
  return status >= 500 || [408, 409, 425, 429].includes(status);
}

/**
 * Turns whatever a model call threw into an {@link AgentError}. Of the provider's own words only an error code of
 * the form `model_not_found` passes: bodies may echo keys and conversations.
 */
export function modelError(error: unknown, provider: Provider): AgentError {
  if (error instanceof AgentError) return error;
  const failure = callFailure(error);
  const status = failure?.statusCode;
  if (status === undefined || (status >= 200 && status < 300)) {
    const name = error instanceof Error ? error.name : typeof error;
    return new AgentError(`${provider.name} gave an answer that cannot be used (${name})`, true);
  }
  const code = errorCode(failure?.responseBody, provider);
  const hint = advice[status] ?? (status >= 500 ? "it is in trouble" : "an unexpected answer");
  return new AgentError(
    `${provider.name} answered with status ${status}${code ? ` (${code})` : ""}: ${hint}`,
    isPassing(status),
  );
}

/** Would the same turn without its pictures be taken? So answer models that read text only, in several ways. */
export function mayRefuseImages(error: unknown): boolean {
  const status = callFailure(error)?.statusCode;
  return (
    (status !== undefined && [400, 404, 413, 415, 422].includes(status)) || refusesImages(error)
  );
}

/**
 * Does it say that the model takes no pictures? Local servers do so under any status that is not of key or load,
 * llama.cpp under 500. Only the beginning counts: some echo the conversation further on.
 */
export function refusesImages(error: unknown): boolean {
  if (error instanceof Error && error.name === "AI_UnsupportedFunctionalityError") return true;
  const { statusCode = 0, responseBody = "" } = callFailure(error) ?? {};
  if (ofKeyOrLoad.has(statusCode)) return false;
  const said = responseBody.slice(0, 300);
  return /image|vision|multi-?modal/i.test(said) && takesNone.test(said) && !ofOneFile.test(said);
}

/** Under these the name of the model, such as `llama-vision`, and a word of support stand for nothing. */
const ofKeyOrLoad = new Set([401, 402, 403, 408, 425, 429, 502, 503, 504, 529]);

/** Such as `No endpoints found that support image input`, `is not a multimodal model`. */
const takesNone =
  /unsupported|(\bnot?|n't|\bonly)\b.{0,40}\b(support|enabled|multi-?modal)|missing data required/i;

/** Such as `You uploaded an unsupported image. ... one the following formats`. Another file may be taken. */
const ofOneFile = /\bformats?\b|\bmime\b|media.?type|\buploaded\b/i;

const failureSchema = v.object({
  name: v.literal("AI_APICallError"),
  statusCode: v.optional(v.number()),
  responseBody: v.optional(v.string()),
});

/** The SDK's APICallError, known by its name so that the SDK need not be loaded to tell. */
function callFailure(error: unknown): v.InferOutput<typeof failureSchema> | undefined {
  const failure = v.safeParse(failureSchema, error);
  return failure.success ? failure.output : undefined;
}

const codeSchema = v.object({
  error: v.object({ code: v.optional(v.unknown()), type: v.optional(v.unknown()) }),
});

function errorCode(body: string | undefined, provider: Provider): string | null {
  try {
    const { error } = v.parse(codeSchema, JSON.parse(body ?? ""));
    const code = [error.code, error.type].find(
      (value) =>
        typeof value === "string" && /^[a-z]+(_[a-z]+)+$/.test(value) && value.length <= 60,
    );
    return typeof code === "string" && !(provider.apiKey && code.includes(provider.apiKey))
      ? code
      : null;
  } catch {
    return null;
  }
}
