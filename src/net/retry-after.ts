/**
 * When a service wants to be asked again, in milliseconds from `now` (Unix ms), at most a day; null where it does not
 * say, or nothing readable. `Retry-After` is seconds or an HTTP date (RFC 9110, section 10.2.3); OpenAI, for one, says
 * it more exactly in `retry-after-ms`.
 */
export function retryAfterMs(headers: Headers, now: number): number | null {
  const number = /^\d{1,9}(\.\d+)?$/;
  const exact = headers.get("retry-after-ms")?.trim() ?? "";
  const value = headers.get("retry-after")?.trim() ?? "";
  const ms = number.test(exact)
    ? Number(exact)
    : number.test(value)
      ? Number(value) * 1000
      : Date.parse(value) - now;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(Math.ceil(ms), 86_400_000) : null;
}
