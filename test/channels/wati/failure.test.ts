import { expect, test } from "bun:test";
import { classifyAnswer, type WatiAnswer } from "../../../src/channels/wati/failure.ts";

const json = (status: number, body: unknown): WatiAnswer => ({
  status,
  body,
  empty: false,
  afterMs: null,
});
const bare = (status: number): WatiAnswer => ({
  status,
  body: undefined,
  empty: true,
  afterMs: null,
});
const html = (status: number): WatiAnswer => ({
  status,
  body: undefined,
  empty: false,
  afterMs: null,
});

test("what an answer means", () => {
  const cases: [name: string, answer: WatiAnswer, expected: string | null][] = [
    ["accepted", json(200, { message: { id: "1", status: "sent" } }), null],
    ["accepted in words of version 1", json(200, { ok: true, result: "success" }), null],
    ["accepted, result true", json(200, { result: true }), null],
    ["accepted without a body", bare(200), null],
    ["no content", bare(204), null],
    ["200 that says no", json(200, { result: false, info: "Invalid number" }), "no refused"],
    ["200 that says no by ok", json(200, { ok: false }), "no refused"],
    ["200 that says no by success", json(200, { success: false, error: "x" }), "no refused"],
    ["200 that says no in a text", json(200, { success: "False" }), "no refused"],
    ["200 that tells a failure", json(200, { result: "failed" }), "no refused"],
    ["200 that tells of no error", json(200, { result: "no error" }), null],
    ["200 that says no in words", json(200, { result: "error", message: "x" }), "no refused"],
    [
      "200, the window is over",
      json(200, { result: false, info: "Ticket has been expired." }),
      "no window_closed",
    ],
    [
      "200, too fast",
      json(200, { result: false, message: "Too many requests" }),
      "backoff rate_limited",
    ],
    [
      "200, over the rate",
      json(200, { result: false, info: "Rate limit hit" }),
      "backoff rate_limited",
    ],
    ["200, slowed", json(200, { result: false, info: "Throttled" }), "backoff rate_limited"],
    ["200, a word like it", json(200, { result: false, info: "Corporate only" }), "no refused"],
    ["200, not let in", json(200, { result: false, info: "Unauthorised" }), "hold token"],
    ["200, the key", json(200, { result: false, info: "Invalid API key" }), "hold token"],
    ["200, the token", json(200, { result: false, info: "Token is expired" }), "hold token"],
    ["a page in place of an answer", html(200), "hold foreign_answer"],
    ["a redirect", html(302), "backoff foreign_answer"],
    ["bad request", json(400, { code: "VALIDATION_ERROR", message: "x" }), "no refused"],
    ["bad request without a body", bare(400), "no refused"],
    [
      "the window is over",
      json(400, { message: "Message outside the 24 hour window" }),
      "no window_closed",
    ],
    ["unprocessable", json(422, { title: "x" }), "no refused"],
    ["token", bare(401), "hold 401"],
    ["payment", bare(402), "hold 402"],
    ["scope", json(403, { message: "missing scope" }), "hold 403"],
    ["no such conversation", json(404, { message: "Conversation not found" }), "no 404"],
    ["no such address", bare(404), "backoff foreign_answer"],
    ["wrong method: the address leads elsewhere", html(405), "backoff foreign_answer"],
    ["not in time", bare(408), "ambiguous 408"],
    ["several conversations", json(409, { message: "multiple" }), "no 409"],
    ["too large", html(413), "no 413"],
    ["rate", bare(429), "backoff 429"],
    ["teapot", bare(418), "no 418"],
    ["server", bare(500), "ambiguous 500"],
    ["gateway", html(502), "ambiguous 502"],
    ["unavailable", html(503), "ambiguous 503"],
    ["gateway time-out", html(504), "ambiguous 504"],
  ];
  for (const [name, answer, expected] of cases) {
    const failure = classifyAnswer(answer);
    expect([name, failure && `${failure.retry} ${failure.code}`]).toEqual([name, expected]);
    if (failure) expect(failure.hint).toMatch(/^[A-Z].*[.?]$/);
  }
});

test("the platform's wish to wait is kept", () => {
  expect(classifyAnswer({ ...bare(429), afterMs: 7000 })?.afterMs).toBe(7000);
  expect(classifyAnswer({ ...bare(503), afterMs: 7000 })?.afterMs).toBe(7000);
});

test.each(["message", "info", "error", "detail", "title"])("a hint tells %s", (key) => {
  const failure = classifyAnswer(json(400, { [key]: "Not now." }));
  expect(failure?.hint).toBe("WATI refuses the message: Not now.");
});

test("a hint repeats no number and no token", () => {
  const message = "No conversation for +1 555 000 1111 with eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
  const hint = classifyAnswer(json(404, { message }))?.hint ?? "";
  expect(hint).toContain("No conversation for");
  expect(hint).not.toContain("555");
  expect(hint).not.toContain("eyJ");
});
