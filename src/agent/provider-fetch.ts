import { BodyTooLarge, readBody } from "../net/body.ts";
import type { Fetch } from "../net/fetch.ts";
import { networkErrorCode } from "../net/network-error.ts";
import { retryAfterMs } from "../net/retry-after.ts";
import { sleep, type Clock } from "../runtime/clock.ts";
import { AgentError, longestWishMs } from "./agent.ts";
import { isPassing } from "./model-error.ts";

/** The longest answer of a provider that is read, in bytes. */
const maxAnswerBytes = 4 * 1024 * 1024;

/**
 * The house's fetch as the SDK may use it. Redirects are not followed, so that a key stays on its host. The SDK
 * reads bodies whole, so none reaches it that is longer than the limit. What goes wrong on the way is an
 * {@link AgentError} from here, since the messages of network errors may hold addresses and more.
 *
 * A provider that says when it wants to be asked again is asked no sooner, by no turn: its limits are the account's.
 */
export function providerFetch(fetch: Fetch, name: string, clock: Clock): typeof globalThis.fetch {
  let notBefore = 0;
  const call = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const url = new URL(input instanceof Request ? input.url : input);
    const signal = init?.signal ?? undefined;
    for (;;) {
      // The clock may have been set back since.
      notBefore = Math.min(notBefore, clock.now() + longestWishMs);
      if (notBefore <= clock.now()) break;
      // Meanwhile another turn may hear that it is to be longer.
      await sleep(clock, notBefore - clock.now(), signal);
    }
    try {
      const response = await fetch(url, { ...init, redirect: "manual" });
      const { status, statusText, headers } = response;
      const later = isPassing(status) ? retryAfterMs(headers, clock.now()) : null;
      if (later !== null) {
        notBefore = Math.max(notBefore, clock.now() + Math.min(later, longestWishMs));
      }
      const body = await readBody(response, maxAnswerBytes);
      const bodiless = status === 204 || status === 205 || status === 304;
      return new Response(bodiless ? null : body, { status, statusText, headers });
    } catch (error) {
      if (signal?.aborted) throw error;
      if (error instanceof BodyTooLarge) {
        throw new AgentError(`the answer of ${name} is longer than ${maxAnswerBytes} bytes`, true);
      }
      throw new AgentError(
        `cannot reach ${name} at ${url.host} (${networkErrorCode(error)})`,
        true,
      );
    }
  };
  return Object.assign(call, { preconnect: () => {} });
}
