/** Of more tries, the first are forgotten: a platform tells of none so late. */
const most = 50;

/**
 * What the platform called the earlier tries of a delivery, as `earlier_platform_id` holds it: a JSON list, or one id as it
 * is, from when one was kept.
 */
export function earlierIds(stored: string | null): string[] {
  if (stored === null) return [];
  return stored.startsWith('["') ? (JSON.parse(stored) as string[]) : [stored];
}

/** What is stored once this one is an earlier try too. */
export function withEarlierId(stored: string | null, id: string | null): string | null {
  return id === null ? stored : JSON.stringify([...earlierIds(stored), id].slice(-most));
}
