import { readBody } from "../../net/body.ts";
import { startDeadline } from "../../net/deadline.ts";
import type { Fetch } from "../../net/fetch.ts";
import { readJson } from "../../net/json-object.ts";
import { retryAfterMs } from "../../net/retry-after.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sendFailure, transportFailure, withoutCredential } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import type { Endpoint } from "./endpoint.ts";
import { classifyAnswer } from "./failure.ts";

/** How long one call may take, its answer included. */
export const callTimeoutMs = 30_000;

/** A list of 50 messages of 4,096 letters, each as `\u0905`, is longer than 1 MiB. */
const maxAnswerBytes = 2 * 1024 * 1024;

export interface WatiClient {
  readonly endpoint: Endpoint;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

/** `at`: what WATI's clock says, Unix ms; ours where it does not say. */
export type Answered =
  { ok: true; body: unknown; at: number } | { ok: false; failure: SendFailure };

/**
 * One call of version 3 of WATI's API, never repeated here. Redirects are not followed, so the token goes nowhere
 * else. Never throws.
 */
export async function call(
  { endpoint, fetch, clock }: WatiClient,
  path: string,
  init: RequestInit,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answered> {
  if (signal.aborted) return failed(sendFailure("unsent", "aborted", "The daemon is stopping."));
  const deadline = startDeadline(clock, timeoutMs, signal);
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${endpoint.token}`);
  headers.set("accept", "application/json");
  try {
    const response = await fetch(`${endpoint.baseUrl}/api/ext/v3/${path}`, {
      ...init,
      headers,
      redirect: "manual",
      signal: deadline.signal,
    });
    const text = new TextDecoder().decode(await readBody(response, maxAnswerBytes));
    const body = readJson(text);
    const now = clock.now();
    const afterMs = retryAfterMs(response.headers, now);
    const answer = { status: response.status, body, empty: text.trim() === "", afterMs };
    const at = Date.parse(response.headers.get("date") ?? "") || now;
    if (classifyAnswer(answer) === null) return { ok: true, body, at };
    const failure = classifyAnswer({ ...answer, body: withoutCredential(body, endpoint.token) });
    return failure ? failed(failure) : { ok: true, body, at };
  } catch (error) {
    const cut = deadline.expired ? "deadline" : signal.aborted ? "stop" : null;
    return failed(transportFailure(error, "WATI", cut));
  } finally {
    deadline.cancel();
  }
}

/** WATI answers, and does not know what was asked for. */
export function isUnknown({ retry, code }: SendFailure): boolean {
  return retry !== "hold" && /^(404|foreign_answer)$/.test(code);
}

export function failed(failure: SendFailure): { ok: false; failure: SendFailure } {
  return { ok: false, failure };
}
