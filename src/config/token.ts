/**
 * A token as a request carries it after its scheme: platforms show it with `Bearer` in front, and blanks around it come
 * along where it is copied. Source: docs.wati.io/v2.6/docs/getting-started.
 */
export function bareToken(token: string): string {
  return token.trim().replace(/^Bearer(\s+|$)/i, "");
}
