import { networkErrorCode } from "../net/network-error.ts";
import { createScrubber } from "../telemetry/scrub.ts";
import type { SendFailure } from "./message.ts";

/** One failure. `hint` is one sentence that a person can act on; `afterMs` the platform's own wish. */
export function sendFailure(
  retry: SendFailure["retry"],
  code: string,
  hint: string,
  afterMs: number | null = null,
): SendFailure {
  return { retry, afterMs, code, hint };
}

/** The same, where nobody at the platform has looked at the request. */
export function unreached(failure: SendFailure): SendFailure {
  return { ...failure, unreached: true };
}

/**
 * Errors that come before a request is written: the connection never stood, so nothing can have been accepted. Node's
 * names (libuv, OpenSSL), undici's, and those that Bun had for the same before 1.4.
 */
const neverConnected = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EAI_FAIL",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "UND_ERR_CONNECT_TIMEOUT",
  "ConnectionRefused",
  "FailedToOpenSocket",
]);

/** No connection could be begun: this process, or the machine, has as many files open as it may. */
const noDescriptor = new Set(["EMFILE", "ENFILE"]);

/** The server's certificate was refused: also before the request. */
const certificateRefused = new Set([
  "CERT_HAS_EXPIRED",
  "CERT_NOT_YET_VALID",
  "CERT_REVOKED",
  "CERT_UNTRUSTED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "HOSTNAME_MISMATCH",
]);

/**
 * What a request without an answer means for a delivery. `service` names who was asked, for the hint; `cut` why we
 * ourselves gave up, if we did. Where the connection never stood it is `unsent`; everything else may have been
 * accepted, so it is `ambiguous`.
 */
export function transportFailure(
  error: unknown,
  service: string,
  cut: "deadline" | "stop" | null = null,
): SendFailure {
  if (cut === "stop") {
    return sendFailure("ambiguous", "aborted", "The request was cut off by a stop of the daemon.");
  }
  return unreached(
    cut === "deadline"
      ? sendFailure("ambiguous", "timeout", `${service} did not answer in time.`)
      : connectionFailure(error, service),
  );
}

function connectionFailure(error: unknown, service: string): SendFailure {
  const code = networkErrorCode(error);
  if (code.startsWith("proxy_")) {
    const trouble = proxyTrouble(code, service);
    return sendFailure("unsent", code, `${trouble[0]?.toUpperCase()}${trouble.slice(1)}.`);
  }
  if (certificateRefused.has(code)) {
    return sendFailure(
      "unsent",
      code,
      `The certificate shown for ${service} is not trusted: check the clock and whatever inspects TLS on the way.`,
    );
  }
  if (noDescriptor.has(code)) {
    return sendFailure(
      "unsent",
      code,
      `No connection to ${service} could be opened: too many files are open here; raise the limit (ulimit -n, LimitNOFILE).`,
    );
  }
  if (neverConnected.has(code)) {
    return sendFailure(
      "unsent",
      code,
      `${service} could not be reached: check the network, DNS and the proxy.`,
    );
  }
  return sendFailure("ambiguous", code, `The connection to ${service} broke before its answer.`);
}

/** What a file that cannot be opened means for its delivery: it is gone, unless just now none can be. */
export function fileFailure(error: unknown, service: string): SendFailure {
  return noDescriptor.has(networkErrorCode(error))
    ? transportFailure(error, service)
    : sendFailure("no", "media_missing", "The file to send does not exist or cannot be read.");
}

/** What the proxy on the way did, and where to look: a clause that begins small. `code` is one of `net/dial.ts`. */
export function proxyTrouble(code: string, service: string): string {
  const proxy = `the proxy on the way to ${service}`;
  const named = "check proxy_url and [proxy]";
  switch (code) {
    case "proxy_unreachable":
      return `${proxy} cannot be reached: start it, or ${named}`;
    case "proxy_tls":
      return `${proxy} has a certificate that is not trusted here, or speaks no TLS: add its root to NODE_EXTRA_CA_CERTS, or ${named}`;
    case "proxy_timeout":
      return `${proxy} does not answer: see its log, or ${named}`;
    case "proxy_407":
      return `${proxy} wants other credentials: ${named}`;
    case "proxy_protocol":
      return `${proxy} answers as no proxy does: ${named}`;
    case "proxy_dns":
      return `the name of ${service} cannot be resolved here, where socks5:// wants it: use socks5h://, check DNS, or ${named}`;
    case "proxy_unusable":
      return `${proxy} cannot be used: ${named}`;
    default:
      return `${proxy} refused: see its log, or ${named}`;
  }
}

/**
 * An answer in JSON without the credential that the request carried, in whatever spelling: servers repeat what they
 * were told, and their words go into hints. To be done before {@link harmless}, which may leave half of it.
 */
export function withoutCredential(answer: unknown, credential: string): unknown {
  const clean = createScrubber([credential]);
  const walk = (value: unknown): unknown => {
    if (typeof value === "string") return clean(value);
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walk(item)]));
  };
  return walk(answer);
}

/**
 * A platform's own words, fit for a hint: one line, at most `length` characters, without numbers that could be a
 * phone and without anything long enough to be a token.
 */
export function harmless(words: string, length: number = 200): string {
  const line = words
    .slice(0, 2000)
    .replace(/\s+/g, " ")
    .replace(/[A-Za-z0-9_|-]{20,}/g, "…")
    .replace(/\+?\d[\d .()-]{5,}\d/g, "…")
    .trim();
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
