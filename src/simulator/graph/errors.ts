import { randomBytes } from "node:crypto";

/** An error of the Graph API before it is written out. */
export interface GraphError {
  /** HTTP status. */
  status: number;
  code: number;
  subcode: number | null;
  message: string;
  type: "OAuthException" | "GraphMethodException";
  /** `error_data.details`, or null. */
  details: string | null;
  retryAfterSecs: number | null;
}

/** Thrown by a route; the server answers with it. */
export class GraphRefusal extends Error {
  override readonly name = "GraphRefusal";
  constructor(readonly error: GraphError) {
    super(error.message);
  }
}

/** Answers the request with this error. */
export function refuse(error: GraphError): never {
  throw new GraphRefusal(error);
}

/**
 * Title and HTTP status of the codes a sender meets (Meta's "Error codes" page). Pages disagree on some statuses, so
 * a client has to decide on the code.
 */
const known: Record<number, readonly [status: number, title: string]> = {
  0: [401, "Authentication Error"],
  1: [400, "An unknown error occurred"],
  2: [503, "Service temporarily unavailable"],
  3: [500, "Application does not have the capability to make this API call."],
  4: [429, "Application request limit reached"],
  10: [403, "Application does not have permission for this action"],
  33: [400, "Parameter value is not valid"],
  100: [400, "Invalid parameter"],
  190: [401, "Invalid OAuth access token - Cannot parse access token"],
  200: [403, "You do not have permission to access this resource"],
  368: [403, "Temporarily blocked for policies violations"],
  2500: [400, "Unknown path components"],
  80007: [429, "Rate limit issues"],
  130403: [403, "The user is blocked"],
  130429: [429, "Rate limit hit"],
  130472: [400, "User's number is part of an experiment"],
  130497: [403, "Business account is restricted from messaging users in this country"],
  131000: [500, "Something went wrong"],
  131005: [403, "Access denied"],
  131008: [400, "Required parameter is missing"],
  131009: [400, "Parameter value is not valid"],
  131016: [500, "Service unavailable"],
  131021: [400, "Recipient cannot be sender"],
  131026: [400, "Message undeliverable"],
  131031: [403, "Account has been locked"],
  131037: [400, "Display name approval needed"],
  131042: [400, "Business eligibility payment issue"],
  131045: [500, "Incorrect certificate"],
  131047: [400, "Re-engagement message"],
  131048: [429, "Spam rate limit hit"],
  131049: [400, "This message was not delivered to maintain healthy ecosystem engagement."],
  131050: [400, "User has stopped marketing messages"],
  131051: [400, "Unsupported message type"],
  131052: [400, "Media download error"],
  131053: [400, "Media upload error"],
  131056: [429, "(Business Account, Consumer Account) pair rate limit hit"],
  131057: [503, "Account in maintenance mode"],
  131062: [400, "Business-scoped user ids are not supported for this message"],
  132000: [400, "Template Param Count Mismatch"],
  132001: [404, "Template does not exist"],
  133016: [400, "Account register deregister rate limit exceeded"],
};

/** Meta's title of a code, as it stands in `errors[].title` of a webhook too. */
export function errorTitle(code: number): string {
  return known[code]?.[1] ?? "Unknown error";
}

/** Builds an error with Meta's usual status and words for `code`; `changes` replaces what a case needs otherwise. */
export function graphError(
  code: number,
  details: string | null = null,
  changes: Partial<GraphError> = {},
): GraphError {
  const [status, title] = known[code] ?? [400, "Unknown error"];
  const numbered = code !== 0 && code !== 190 && code !== 2500;
  return {
    status,
    code,
    subcode: null,
    message: numbered ? `(#${code}) ${title}` : title,
    type: "OAuthException",
    details,
    retryAfterSecs: null,
    ...changes,
  };
}

/** A parameter that is absent or out of bounds: code 100 with Meta's sentence. */
export function parameterError(sentence: string): GraphError {
  return graphError(100, null, { message: `(#100) ${sentence}` });
}

/** What Graph says of a path that it does not know or that this token may not see: code 100, subcode 33. */
export function unknownObject(method: string, id: string): GraphError {
  return graphError(100, null, {
    subcode: 33,
    type: "GraphMethodException",
    message:
      `Unsupported ${method.toLowerCase()} request. Object with ID '${id}' does not exist, cannot be loaded ` +
      "due to missing permissions, or does not support this operation. Please read the Graph API documentation " +
      "at https://developers.facebook.com/docs/graph-api",
  });
}

/** The JSON that stands in the body of the answer. */
export function errorBody(error: GraphError): { error: Record<string, unknown> } {
  return {
    error: {
      message: error.message,
      type: error.type,
      code: error.code,
      ...(error.subcode === null ? {} : { error_subcode: error.subcode }),
      ...(error.details === null
        ? {}
        : { error_data: { messaging_product: "whatsapp", details: error.details } }),
      fbtrace_id: `A${randomBytes(16).toString("base64url")}`,
    },
  };
}
