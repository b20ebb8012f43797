/**
 * Waits until `holds`; throws after `ms` of real time, with what was waited for. For what other processes do, which no
 * clock of a test moves.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  ms = 10_000,
): Promise<void> {
  for (const end = Date.now() + ms; !(await holds()); await Bun.sleep(5)) {
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
  }
}
