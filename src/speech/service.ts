import * as v from "valibot";
import { BodyTooLarge, readBody } from "../net/body.ts";
import { startDeadline } from "../net/deadline.ts";
import type { Fetch } from "../net/fetch.ts";
import { networkErrorCode } from "../net/network-error.ts";
import type { Clock } from "../runtime/clock.ts";
import { SpeechError } from "./error.ts";

/** Where the hosted services live; tests put stand-ins in their place. */
export const serviceUrls = {
  openai: "https://api.openai.com/v1",
  deepgram: "https://api.deepgram.com/v1",
  assemblyai: "https://api.assemblyai.com/v2",
  googleSpeech: "https://speech.googleapis.com/v1",
  googleTextToSpeech: "https://texttospeech.googleapis.com/v1",
  elevenlabs: "https://api.elevenlabs.io/v1",
};
export type ServiceUrls = typeof serviceUrls;

/** The way to a speech service. */
export interface Connection {
  /** As the configuration names it; begins every error. */
  name: string;
  fetch: Fetch;
  clock: Clock;
  /** Milliseconds that one request may take, its body included. */
  timeoutMs: number;
}

/** A hosted service answers well within this, or it is in trouble. */
export const hostedTimeoutMs = 60_000;

const advice: Record<number, string> = {
  401: ": the key is refused",
  402: ": the account has no credit left",
  403: ": the key may not do this",
  404: ": there is no such model, voice or address",
  413: ": the audio is too large",
  429: ": too many requests, or the quota is used up",
};
const passing = new Set([408, 409, 425, 429]);

/**
 * One request to a service, its answer read whole. Redirects are not followed, so that keys stay on their host.
 * Throws {@link SpeechError} for everything but a 2xx of at most `maxBytes`, or the signal's reason when aborted;
 * of the service's own words nothing passes on, as they may echo keys and speech.
 */
export async function ask(
  { name, fetch, clock, timeoutMs }: Connection,
  url: string | URL,
  init: RequestInit,
  maxBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  signal.throwIfAborted();
  const deadline = startDeadline(clock, timeoutMs, signal);
  try {
    const response = await fetch(url, { ...init, redirect: "manual", signal: deadline.signal });
    const { status } = response;
    if (status < 200 || status > 299) {
      await response.body?.cancel().catch(() => {});
      throw new SpeechError(
        `${name} answered with status ${status}${advice[status] ?? ""}`,
        status >= 500 || passing.has(status),
        status,
      );
    }
    return await readBody(response, maxBytes);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    if (error instanceof SpeechError) throw error;
    if (deadline.expired) {
      throw new SpeechError(`${name} did not answer within ${timeoutMs / 1000} seconds`, true);
    }
    if (error instanceof BodyTooLarge) {
      throw new SpeechError(`the answer of ${name} is longer than ${maxBytes} bytes`, false);
    }
    throw new SpeechError(`cannot reach ${name} (${networkErrorCode(error)})`, true);
  } finally {
    deadline.cancel();
  }
}

/** The same, for an answer in JSON of that shape. */
export async function askJson<S extends v.GenericSchema>(
  connection: Connection,
  url: string | URL,
  init: RequestInit,
  { schema, maxBytes }: { schema: S; maxBytes: number },
  signal: AbortSignal,
): Promise<v.InferOutput<S>> {
  const body = await ask(connection, url, init, maxBytes, signal);
  try {
    return v.parse(schema, JSON.parse(new TextDecoder().decode(body)));
  } catch {
    throw new SpeechError(`${connection.name} gave an answer that cannot be used`, true);
  }
}

/** An address of which the last slash does not matter, with a path put to it. */
export function under(base: string, path: string): string {
  return base.replace(/\/$/, "") + path;
}

/** A key as configured, else from the environment, else what is missing in words for the operator. */
export function serviceKey(
  configured: string | undefined,
  env: Record<string, string | undefined>,
  { table, variable }: { table: string; variable: string },
): { key: string; missing: string | null } {
  const key = configured || env[variable] || "";
  return { key, missing: key === "" ? `no key: set [${table}] api_key or ${variable}` : null };
}
