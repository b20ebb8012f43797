/** The middle of some figures; the mean of the two middle ones where their number is even. NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = NaN, high = NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return (low + high) / 2;
}

/** The smallest figure that at least `share` (0 to 1) of them do not exceed (nearest rank). NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.ceil(share * sorted.length);
  return sorted[Math.min(sorted.length, Math.max(1, rank)) - 1] ?? NaN;
}

/** One round: what was measured of Revka and, right beside it, of what it is held against. */
export interface Pair {
  revka: number;
  baseline: number;
}

export interface Comparison {
  revka: number;
  baseline: number;
  /** Median of the rounds' own ratios: what slows the machine for a while slows both of a round. */
  ratio: number;
  lowest: number;
  highest: number;
}

/** Medians over all rounds. */
export function compare(pairs: readonly Pair[]): Comparison {
  const ratios = pairs.map(({ revka, baseline }) => revka / baseline);
  return {
    revka: median(pairs.map((pair) => pair.revka)),
    baseline: median(pairs.map((pair) => pair.baseline)),
    ratio: median(ratios),
    lowest: Math.min(...ratios),
    highest: Math.max(...ratios),
  };
}

/** Measures baseline and Revka in turn (A B A B …), `rounds` times. */
export async function alternate<T>(
  rounds: number,
  baseline: (round: number) => Promise<T>,
  revka: (round: number) => Promise<T>,
): Promise<{ baseline: T[]; revka: T[] }> {
  const result: { baseline: T[]; revka: T[] } = { baseline: [], revka: [] };
  for (let round = 0; round < rounds; round++) {
    result.baseline.push(await baseline(round));
    result.revka.push(await revka(round));
  }
  return result;
}

/** One figure of both sides, round by round. */
export function pairs<T>(
  measured: { baseline: T[]; revka: T[] },
  figure: (one: T) => number,
): Pair[] {
  return measured.revka.flatMap((one, round) => {
    const other = measured.baseline[round];
    return other === undefined ? [] : [{ revka: figure(one), baseline: figure(other) }];
  });
}
