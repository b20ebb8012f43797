import { TIMED_OUT, UNREACHABLE, UNTRUSTED } from "./disconnect.ts";

/** What the system says where no connection to the address comes about at all. */
const unreachable = new Set([
  ...["ENOTFOUND", "EAI_AGAIN", "EAI_FAIL", "EADDRNOTAVAIL", "EACCES", "EPERM"],
  ...["ECONNREFUSED", "EHOSTUNREACH", "ENETUNREACH", "EHOSTDOWN", "ENETDOWN"],
]);

/** The status code of a Boom, as Baileys ends connections with; 500 where there is none. */
export function statusOf(error: unknown): number {
  if (typeof error !== "object" || error === null || !("output" in error)) return 500;
  // `noise-handler.js`, processHandshake: the same 400 as a login that WhatsApp refuses.
  if (/^(invalid )?noise .*certificate|^certification match/.test(messageOf(error))) {
    return UNTRUSTED;
  }
  const { output } = error;
  if (typeof output !== "object" || output === null || !("statusCode" in output)) return 500;
  const status = typeof output.statusCode === "number" ? output.statusCode : 500;
  // `generics.js`, getCodeFromWSError: whatever the system says becomes a time-out.
  return status === TIMED_OUT && unreachable.has(systemCode(error)) ? UNREACHABLE : status;
}

/** The code with which the server refused a query (`WABinary/generic-utils.js`, assertNodeErrorFree); null for none. */
export function refusedWith(error: unknown): number | null {
  if (!(error instanceof Error) || !("data" in error)) return null;
  return typeof error.data === "number" && Number.isInteger(error.data) ? error.data : null;
}

/** Of the error that the Boom wraps. */
function systemCode(error: object): string {
  const cause: unknown = "data" in error ? error.data : null;
  if (typeof cause !== "object" || cause === null || !("code" in cause)) return "";
  return typeof cause.code === "string" ? cause.code : "";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
