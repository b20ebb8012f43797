import { expect, test } from "bun:test";
import { UNREACHABLE, UNTRUSTED, judge } from "../../../src/channels/whatsapp-web/disconnect.ts";
import { statusOf } from "../../../src/channels/whatsapp-web/socket-error.ts";

/** As Baileys ends connections: a Boom around what the socket said. */
function boom(message: string, statusCode: number, data?: unknown): Error {
  return Object.assign(new Error(message), { output: { statusCode }, data });
}

test.each([
  ["no such name", boom("WebSocket Error ()", 408, { code: "ENOTFOUND" }), UNREACHABLE],
  ["nobody listens", boom("WebSocket Error ()", 408, { code: "ECONNREFUSED" }), UNREACHABLE],
  ["no network", boom("WebSocket Error ()", 408, { code: "ENETUNREACH" }), UNREACHABLE],
  ["too slow", boom("WebSocket Error ()", 408, { code: "ETIMEDOUT" }), 408],
  ["cut off", boom("WebSocket Error ()", 408, { code: "ECONNRESET" }), 408],
  ["no code", boom("QR refs attempts ended", 408), 408],
  ["a strange code", boom("WebSocket Error ()", 408, { code: 7 }), 408],
  ["the server's word", boom("Stream Errored (conflict)", 440, { code: "401" }), 440],
  ["a wrong certificate", boom("noise certificate mismatch", 400), UNTRUSTED],
  ["no Boom", new Error("x"), 500],
  ["nothing", undefined, 500],
])("%s", (_, error, status) => {
  expect(statusOf(error)).toBe(status);
});

test("what cannot be reached is tried again, and said so", () => {
  const verdict = judge({
    code: UNREACHABLE,
    linked: true,
    passkey: false,
    proxyFailure: null,
    expireSecs: null,
  });
  expect(verdict).toMatchObject({ next: "backoff", reason: expect.stringContaining("DNS") });
});
