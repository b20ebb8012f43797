import { isLoopbackHost } from "../config/addresses.ts";
import { systemClock, type Clock } from "../runtime/clock.ts";
import { startDeadline, type Deadline } from "./deadline.ts";
import type { Fetch } from "./fetch.ts";
import { networkErrorCode } from "./network-error.ts";

/** Redirects followed at most, each checked like the first address. */
const maxRedirects = 3;

const usualIdleMs = 20_000;
const usualTotalMs = 120_000;

export type DownloadFault =
  | "address_refused"
  | "redirect_refused"
  | "too_many_redirects"
  | "status"
  | "too_large"
  | "truncated"
  | "timeout"
  | "network"
  | "media_type";

/** Why a file was not read. The message holds neither the address nor a secret. */
export class DownloadFailure extends Error {
  override readonly name = "DownloadFailure";
  constructor(
    readonly code: DownloadFault,
    message: string,
    /** HTTP status where `code` is `status`. */
    readonly status: number | null = null,
  ) {
    super(message);
  }

  /** It may go well a moment later: the connection broke off, or the server had trouble of its own. */
  get mayPass(): boolean {
    const { code, status } = this;
    return code === "network" || code === "truncated" || status === 408 || (status ?? 0) >= 500;
  }
}

export interface DownloadOptions {
  url: string | URL;
  fetch: Fetch;
  /** Which addresses may be asked: the first, and where each redirect leads. No name is resolved to tell. */
  allows: (url: URL) => boolean;
  /** Sent to the origin of `url`, and to no other. */
  bearer?: string;
  /** Bytes, whatever the server says of the length. */
  maxBytes: number;
  signal?: AbortSignal;
  clock?: Clock;
  /** Longest wait for the next bytes, ms. */
  idleMs?: number;
  /** Longest time for the whole, ms. */
  totalMs?: number;
}

export interface Download {
  /** Ends with an error of type {@link DownloadFailure} where the file is too long, cut short or too slow. */
  body: ReadableStream<Uint8Array>;
  /** As the server says, without parameters. */
  mimeType: string | null;
}

/**
 * Opens a file on a server: https only (plain http to loopback, where {@link DownloadOptions.allows} lets it), redirects
 * followed by hand and checked one by one, credentials only for the first origin, limits kept while streaming. Rejects
 * with {@link DownloadFailure}, or with the signal's reason.
 */
export async function download(options: DownloadOptions): Promise<Download> {
  const clock = options.clock ?? systemClock;
  const caller = options.signal ?? new AbortController().signal;
  const deadline = startDeadline(clock, options.totalMs ?? usualTotalMs, caller);
  try {
    const response = await follow(options, deadline);
    return await accept(response, options, clock, deadline);
  } catch (error) {
    deadline.cancel();
    throw failure(error, caller, deadline);
  }
}

/** Only addresses with the scheme, host and port of `base`. */
export function withinOrigin(base: string | URL): (url: URL) => boolean {
  const { origin } = new URL(base);
  return (url) => url.origin === origin;
}

async function follow(options: DownloadOptions, deadline: Deadline): Promise<Response> {
  const first = parse(options.url, "address_refused");
  let url = first;
  for (let redirects = 0; ; redirects++) {
    check(url, options, redirects === 0 ? "address_refused" : "redirect_refused");
    const headers = new Headers({ accept: "*/*", "accept-encoding": "identity" });
    if (options.bearer !== undefined && url.origin === first.origin) {
      headers.set("authorization", `Bearer ${options.bearer}`);
    }
    const response = await options.fetch(url, {
      headers,
      redirect: "manual",
      signal: deadline.signal,
    });
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await discard(response);
    const location = response.headers.get("location");
    if (location === null)
      throw new DownloadFailure("status", "a redirect without a target", response.status);
    if (redirects === maxRedirects) {
      throw new DownloadFailure("too_many_redirects", `more than ${maxRedirects} redirects`);
    }
    url = parse(location, "redirect_refused", url);
  }
}

function parse(url: string | URL, fault: DownloadFault, base?: URL): URL {
  const text = String(url);
  if (!URL.canParse(text, base)) throw new DownloadFailure(fault, "the address is malformed");
  return new URL(text, base);
}

function check(url: URL, { allows }: DownloadOptions, fault: DownloadFault): void {
  const refuse = (why: string) => {
    throw new DownloadFailure(fault, why);
  };
  const plain = url.protocol === "http:" && isLoopbackHost(url.hostname);
  if (url.protocol !== "https:" && !plain) refuse("the address is not https");
  if (url.username || url.password) refuse("the address carries credentials");
  if (!allows(url)) refuse("the address leads to another host");
}

async function accept(
  response: Response,
  options: DownloadOptions,
  clock: Clock,
  deadline: Deadline,
): Promise<Download> {
  if (response.status !== 200) {
    await discard(response);
    throw new DownloadFailure("status", `the server answered ${response.status}`, response.status);
  }
  const length = response.headers.get("content-length");
  const declaredSize = length !== null && /^\d{1,15}$/.test(length) ? Number(length) : null;
  if (declaredSize !== null && declaredSize > options.maxBytes) {
    await discard(response);
    throw tooLarge(options.maxBytes);
  }
  const encoded = !["", "identity"].includes(response.headers.get("content-encoding") ?? "");
  const mimeType = response.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  return {
    body: guard(response, encoded ? null : declaredSize, options, clock, deadline),
    mimeType: mimeType || null,
  };
}

function guard(
  response: Response,
  expected: number | null,
  options: DownloadOptions,
  clock: Clock,
  deadline: Deadline,
): ReadableStream<Uint8Array> {
  const reader = response.body?.getReader();
  const caller = options.signal ?? new AbortController().signal;
  let received = 0;

  const next = async (): Promise<Uint8Array | null> => {
    if (!reader) return null;
    let stopWaiting = () => {};
    const stopped = new Promise<never>((_, reject) => {
      const onAbort = () => reject(deadline.signal.reason);
      if (deadline.signal.aborted) onAbort();
      deadline.signal.addEventListener("abort", onAbort, { once: true });
      const cancelIdle = clock.after(options.idleMs ?? usualIdleMs, () =>
        reject(new DownloadFailure("timeout", "the server sent nothing for too long")),
      );
      stopWaiting = () => {
        cancelIdle();
        deadline.signal.removeEventListener("abort", onAbort);
      };
    });
    try {
      const { done, value } = await Promise.race([stopped, reader.read()]);
      return done ? null : value;
    } finally {
      stopWaiting();
    }
  };

  const end = async () => {
    deadline.cancel();
    // Not awaited: a server that never answers would hold the refusal up.
    reader?.cancel().catch(() => {});
  };

  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const chunk = await next();
          received += chunk?.length ?? 0;
          if (received > options.maxBytes) throw tooLarge(options.maxBytes);
          if (chunk) return controller.enqueue(chunk);
          if (expected !== null && received < expected) {
            throw new DownloadFailure("truncated", "the file ended before its length");
          }
          deadline.cancel();
          controller.close();
        } catch (error) {
          await end();
          controller.error(failure(error, caller, deadline));
        }
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
}

function tooLarge(maxBytes: number): DownloadFailure {
  return new DownloadFailure("too_large", `the file is larger than ${maxBytes} bytes`);
}

function failure(error: unknown, caller: AbortSignal, deadline: Deadline): unknown {
  if (error instanceof DownloadFailure) return error;
  if (deadline.expired) return new DownloadFailure("timeout", "the file took too long");
  if (caller.aborted) return caller.reason;
  return new DownloadFailure("network", `the server could not be read: ${networkErrorCode(error)}`);
}

async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {});
}
