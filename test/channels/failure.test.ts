import { describe, expect, test } from "bun:test";
import { harmless, transportFailure, withoutCredential } from "../../src/channels/failure.ts";

/** As Deno words it. */
const deno = (said: string) =>
  new TypeError("fetch failed", {
    cause: new Error(`error sending request for url (https://secret@host/): client error ${said}`),
  });
const coded = (code: string) => Object.assign(new Error("at https://secret@host"), { code });

describe("transportFailure", () => {
  const rows: [string, unknown, "deadline" | "stop" | null, string, string][] = [
    ["refused", coded("ECONNREFUSED"), null, "unsent", "ECONNREFUSED"],
    ["no such name", coded("ENOTFOUND"), null, "unsent", "ENOTFOUND"],
    [
      "as a cause",
      new TypeError("fetch failed", { cause: coded("EAI_AGAIN") }),
      null,
      "unsent",
      "EAI_AGAIN",
    ],
    ["bad certificate", coded("CERT_HAS_EXPIRED"), null, "unsent", "CERT_HAS_EXPIRED"],
    ["the proxy says no", coded("proxy_407"), null, "unsent", "proxy_407"],
    ["no file descriptor left", coded("EMFILE"), null, "unsent", "EMFILE"],
    [
      "refused, under Deno",
      deno("(Connect): tcp connect error: Connection refused (os error 111)"),
      null,
      "unsent",
      "ECONNREFUSED",
    ],
    [
      "no such name, under Deno",
      deno("(Connect): dns error: failed to lookup address information: Name not known"),
      null,
      "unsent",
      "ENOTFOUND",
    ],
    [
      "no file descriptor left, under Deno",
      deno("(Connect): tcp open error: Too many open files (os error 24)"),
      null,
      "unsent",
      "EMFILE",
    ],
    [
      "bad certificate, under Deno",
      deno("(Connect): invalid peer certificate: Expired"),
      null,
      "unsent",
      "CERT_UNTRUSTED",
    ],
    [
      "never connected, under Deno",
      deno("(Connect): tls handshake eof"),
      null,
      "unsent",
      "FailedToOpenSocket",
    ],
    [
      "broken off, under Deno",
      deno("(SendRequest): connection closed before message completed"),
      null,
      "ambiguous",
      "Error",
    ],
    ["broken off", coded("ECONNRESET"), null, "ambiguous", "ECONNRESET"],
    ["something else", new Error("?"), null, "ambiguous", "Error"],
    ["our deadline", coded("ECONNREFUSED"), "deadline", "ambiguous", "timeout"],
    ["our stop", new Error("stop"), "stop", "ambiguous", "aborted"],
  ];
  test.each(rows)("%s", (_name, error, cut, retry, code) => {
    const failure = transportFailure(error, "Meta", cut);
    expect({ retry: failure.retry, code: failure.code }).toEqual({ retry, code } as never);
    expect(failure.hint).not.toContain("secret");
  });

  test.each([
    ...["EAI_FAIL", "EHOSTUNREACH", "ENETUNREACH", "EADDRNOTAVAIL"],
    ...["UND_ERR_CONNECT_TIMEOUT", "ConnectionRefused", "FailedToOpenSocket", "ENFILE"],
    ...["CERT_NOT_YET_VALID", "CERT_REVOKED", "CERT_UNTRUSTED", "HOSTNAME_MISMATCH"],
    ...["DEPTH_ZERO_SELF_SIGNED_CERT", "SELF_SIGNED_CERT_IN_CHAIN", "UNABLE_TO_GET_ISSUER_CERT"],
    ...["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "UNABLE_TO_VERIFY_LEAF_SIGNATURE"],
    "ERR_TLS_CERT_ALTNAME_INVALID",
  ])("%s comes before the request", (code) => {
    expect(transportFailure(coded(code), "Meta")).toMatchObject({ retry: "unsent", code } as never);
  });
});

test.each([
  ["proxy_unreachable", "The proxy on the way to Meta cannot be reached: start it, or check"],
  ["proxy_tls", "The proxy on the way to Meta has a certificate that is not trusted here"],
  ["proxy_timeout", "The proxy on the way to Meta does not answer"],
  ["proxy_407", "The proxy on the way to Meta wants other credentials"],
  ["proxy_protocol", "The proxy on the way to Meta answers as no proxy does"],
  [
    "proxy_dns",
    "The name of Meta cannot be resolved here, where socks5:// wants it: use socks5h://",
  ],
  ["proxy_unusable", "The proxy on the way to Meta cannot be used"],
  ["proxy_403", "The proxy on the way to Meta refused: see its log"],
])("%s is told apart", (code, words) => {
  const { hint } = transportFailure(coded(code), "Meta");
  expect(hint).toStartWith(words);
  expect(hint).toEndWith("check proxy_url and [proxy].");
});

describe("harmless", () => {
  test.each([
    ["Message failed\n to send", "Message failed to send"],
    ["number +1 (650) 555-1234 is unknown", "number … is unknown"],
    ["number 16505551234", "number …"],
    ["Malformed access token EAABsbCS1iHgBO0ZA9cZCtoken", "Malformed access token …"],
    ["code 131047, 24 hours", "code 131047, 24 hours"],
  ])("%j", (words, expected) => {
    expect(harmless(words)).toBe(expected);
  });

  test("is cut", () => {
    expect(harmless("word ".repeat(100), 20)).toHaveLength(20);
  });
});

test.each([
  ["as it stands", "bad tok/en+with.0123456789 here"],
  ["in a header", "authorization: Bearer tok/en+with.0123456789"],
  ["in a URL", "?access_token=tok%2Fen%2Bwith.0123456789"],
  ["in base64", Buffer.from("u:tok/en+with.0123456789").toString("base64")],
])("an answer that repeats the credential %s is freed of it, however deep", (_, words) => {
  const answer = { error: { code: 1, list: [{ details: words }, null, true] } };
  const clean = JSON.stringify(withoutCredential(answer, "tok/en+with.0123456789"));
  expect(clean).toContain("[redacted]");
  expect(clean).not.toMatch(/en\+with|en%2Bwith|0123456/);
  expect(clean).toContain('"code":1');
});
