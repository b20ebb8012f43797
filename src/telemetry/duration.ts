/** `12 s`, `3 min`, `5 h 20 min`, `2 d 4 h`: seconds as a person says them. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 86_400) return pair(whole, 3600, "h", 60, "min");
  return pair(whole, 86_400, "d", 3600, "h");
}

function pair(
  seconds: number,
  big: number,
  bigName: string,
  small: number,
  smallName: string,
): string {
  const rest = Math.floor((seconds % big) / small);
  const head = `${Math.floor(seconds / big)} ${bigName}`;
  return rest > 0 ? `${head} ${rest} ${smallName}` : head;
}

/** `3 min ago` for an RFC 3339 time, `never` for null. */
export function ago(at: string | null, now: number): string {
  if (at === null) return "never";
  const then = Date.parse(at);
  return Number.isNaN(then) ? at : `${duration((now - then) / 1000)} ago`;
}
