import * as v from "valibot";
import { once } from "../../runtime/once.ts";
import { optional, readJson, wholeNumber } from "../../net/json-object.ts";
import { readBody } from "../../net/body.ts";
import { startDeadline } from "../../net/deadline.ts";
import type { Fetch } from "../../net/fetch.ts";
import { retryAfterMs } from "../../net/retry-after.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sendFailure, transportFailure, withoutCredential } from "../failure.ts";
import type { SendFailure } from "../message.ts";
import { classifyForeignAnswer, classifyGraphError } from "./failure.ts";

/** How long one call may take, its answer included. */
export const callTimeoutMs = 30_000;

/** No answer of the calls used here comes near this. */
const maxAnswerBytes = 1024 * 1024;

export interface GraphOptions {
  /** Without a path of ours and a slash at the end, e.g. `https://graph.facebook.com`. */
  baseUrl: string;
  /** `v26.0`. */
  version: string;
  accessToken: string;
  fetch: Fetch;
  clock: Clock;
}

export type GraphAnswer<T> =
  { ok: true; value: T } | { ok: false; failure: SendFailure; status: number | null };

export interface GraphCall<T extends v.GenericSchema> {
  method: "GET" | "POST";
  /** Below the version, with its query; ids in it are checked by the caller. */
  path: string;
  /** Sent as JSON; a stream brings its own headers. */
  json?: unknown;
  stream?: { body: ReadableStream<Uint8Array>; headers: Record<string, string> };
  answer: T;
  timeoutMs?: number;
  signal: AbortSignal;
}

export interface Graph {
  readonly options: GraphOptions;
  /** One call, never repeated here. Redirects are not followed, so the token goes nowhere else. Never throws. */
  call<T extends v.GenericSchema>(call: GraphCall<T>): Promise<GraphAnswer<v.InferOutput<T>>>;
}

const errorAnswer = once(() =>
  v.object({
    error: v.object({
      code: wholeNumber,
      message: optional(v.string()),
      error_data: optional(v.object({ details: optional(v.string()) })),
      is_transient: optional(v.boolean()),
    }),
  }),
);

/** The Graph API with one token and version in the path. Source: Graph API, overview and versioning. */
export function createGraph(options: GraphOptions): Graph {
  const base = `${options.baseUrl}/${options.version}/`;
  const call = async <T extends v.GenericSchema>(
    request: GraphCall<T>,
  ): Promise<GraphAnswer<v.InferOutput<T>>> => {
    if (request.signal.aborted) {
      return failed(sendFailure("unsent", "aborted", "The daemon is stopping."));
    }
    const timeoutMs = request.timeoutMs ?? callTimeoutMs;
    const deadline = startDeadline(options.clock, timeoutMs, request.signal);
    try {
      const response = await options.fetch(base + request.path, {
        ...requestInit(request, options.accessToken),
        redirect: "manual",
        signal: deadline.signal,
      });
      const text = new TextDecoder().decode(await readBody(response, maxAnswerBytes));
      return read(response, text, request.answer, options);
    } catch (error) {
      const cut = deadline.expired ? "deadline" : request.signal.aborted ? "stop" : null;
      return failed(transportFailure(error, "Meta's Graph API", cut));
    } finally {
      deadline.cancel();
    }
  };
  return { options, call };
}

function requestInit(request: GraphCall<v.GenericSchema>, accessToken: string): RequestInit {
  const headers: Record<string, string> = {
    authorization: `Bearer ${accessToken}`,
    accept: "application/json",
  };
  if (request.stream) {
    const init = { duplex: "half", body: request.stream.body };
    return { ...init, method: request.method, headers: { ...headers, ...request.stream.headers } };
  }
  if (request.json === undefined) return { method: request.method, headers };
  return {
    method: request.method,
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(request.json),
  };
}

function read<T extends v.GenericSchema>(
  response: Response,
  text: string,
  answer: T,
  { clock, accessToken }: GraphOptions,
): GraphAnswer<v.InferOutput<T>> {
  const body = readJson(text);
  const afterMs = retryAfterMs(response.headers, clock.now());
  const { status } = response;
  const refused = v.safeParse(errorAnswer(), body);
  if (refused.success) {
    const { error } = v.parse(errorAnswer(), withoutCredential(refused.output, accessToken));
    return failed(classifyGraphError(error, { status, afterMs }), status);
  }
  const value = response.ok ? v.safeParse(answer, body) : null;
  if (value?.success) return { ok: true, value: value.output };
  return failed(classifyForeignAnswer(status, afterMs), status);
}

function failed(failure: SendFailure, status: number | null = null): GraphAnswer<never> {
  return { ok: false, failure, status };
}
