import { expect, test } from "bun:test";
import { UNREACHABLE, UNTRUSTED, judge } from "../../../src/channels/whatsapp-web/disconnect.ts";
import { refusedWith, statusOf } from "../../../src/channels/whatsapp-web/socket-error.ts";

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
  ["null", null, 500],
  ["a word", "closed", 500],
  ["a Boom without an output", Object.assign(new Error("x"), { output: null }), 500],
  ["a Boom whose output is a word", Object.assign(new Error("x"), { output: "408" }), 500],
  ["a Boom without a status", Object.assign(new Error("x"), { output: {} }), 500],
  ["a Boom with a word for a status", boom("x", "408" as never), 500],
  ["a word for a cause", boom("WebSocket Error ()", 408, "ENOTFOUND"), 408],
  ["a cause that is null", boom("WebSocket Error ()", 408, null), 408],
  ["a Boom that is no error", { output: { statusCode: 428 } }, 428],
])("%s", (_, error, status) => {
  expect(statusOf(error)).toBe(status);
});

test.each<[string, unknown, number | null]>([
  ["a refused query", Object.assign(new Error("forbidden"), { data: 403 }), 403],
  ["one with a word", Object.assign(new Error("x"), { data: "403" }), null],
  ["one with a fraction", Object.assign(new Error("x"), { data: 1.5 }), null],
  ["another error", new Error("x"), null],
  ["what is no error", { data: 403 }, null],
  ["a word", "403", null],
])("of %s the code is the server's or none", (_, error, code) => {
  expect(refusedWith(error)).toBe(code);
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
