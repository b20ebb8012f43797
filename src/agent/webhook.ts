import { BodyTooLarge, readBody } from "../net/body.ts";
import type { Fetch } from "../net/fetch.ts";
import { networkErrorCode } from "../net/network-error.ts";
import { retryAfterMs } from "../net/retry-after.ts";
import type { Clock } from "../runtime/clock.ts";
import { AgentError, type Agent, type AgentReply } from "./agent.ts";
import { encodeTurn, maxAnswerBytes, parseAnswer } from "./protocol.ts";

/** Redirects within the agent's own origin that are followed (a missing slash, a new path). */
const maxRedirects = 3;

export interface WebhookOptions {
  url: string;
  bearerToken: string | undefined;
  fetch: Fetch;
  clock: Clock;
}

/**
 * Posts each turn to an address. 200 carries the answer, 204 is no reply. Everything else the address answers, and
 * no answer at all, is a failed turn worth repeating: a redeployed agent answers 404 or 401 for a while, too. One that
 * says `Retry-After` is asked no sooner.
 */
export function createWebhookAgent(options: WebhookOptions): Agent {
  const headers: Record<string, string> = {
    ...(options.bearerToken ? { authorization: `Bearer ${options.bearerToken}` } : {}),
  };

  return {
    kind: "webhook",
    async run(request, signal) {
      const response = await call(
        {
          method: "POST",
          headers: {
            ...headers,
            "content-type": "application/json",
            accept: "application/json",
          },
          body: encodeTurn(request),
        },
        signal,
      );
      return answer(response, signal, options.clock.now());
    },
    async probe(signal) {
      // HEAD, so that asking whether the agent is there never runs a turn.
      const { status, body } = await call({ method: "HEAD", headers }, signal);
      await body?.cancel().catch(() => {});
      if (status === 401 || status === 403) {
        const why = options.bearerToken
          ? "refuses the bearer token"
          : "or a proxy before it refuses, and no bearer token is set";
        throw new AgentError(
          `the agent ${why} (status ${status}): check [agent] bearer_token`,
          false,
        );
      }
      // 500: it is there, and reads a turn from what has no body.
      if (status > 501) {
        throw new AgentError(`the agent answered with status ${status}`, true);
      }
      return `the agent at ${new URL(options.url).host} answers (status ${status} to HEAD)`;
    },
  };

  async function call(init: RequestInit, signal: AbortSignal): Promise<Response> {
    let url = new URL(options.url);
    for (let redirects = 0; ; redirects++) {
      const response = await reach(url, init, signal);
      if (response.status !== 307 && response.status !== 308) return response;
      await response.body?.cancel().catch(() => {});
      const next = URL.parse(response.headers.get("location") ?? "", url);
      if (redirects === maxRedirects || next?.origin !== url.origin) {
        throw new AgentError(
          `the agent redirects elsewhere (status ${response.status}), which is not followed: set [agent] url to the final address`,
          true,
        );
      }
      url = next;
    }
  }

  async function reach(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
    try {
      return await options.fetch(url, { ...init, redirect: "manual", signal });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw new AgentError(
        `cannot reach the agent at ${url.host} (${networkErrorCode(error)})`,
        true,
      );
    }
  }
}

async function answer(response: Response, signal: AbortSignal, now: number): Promise<AgentReply> {
  if (response.status !== 200) {
    await response.body?.cancel().catch(() => {});
    if (response.status === 204) return { parts: [] };
    const afterMs = retryAfterMs(response.headers, now) ?? 0;
    throw new AgentError(`the agent answered with status ${response.status}`, true, afterMs);
  }
  let body: Uint8Array;
  try {
    body = await readBody(response, maxAnswerBytes);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof BodyTooLarge) {
      throw new AgentError(`the agent's answer is longer than ${maxAnswerBytes} bytes`, true);
    }
    throw new AgentError(`the agent's answer broke off (${networkErrorCode(error)})`, true);
  }
  return parseAnswer(body);
}
