import type { Binaries } from "./binaries.ts";
import { compare, type Pair } from "./statistics.ts";
import { figure, type Row } from "./table.ts";

/** What one bench works with. */
export interface BenchContext {
  /** How often each side is measured. */
  rounds: number;
  /** How long one measurement lasts, where it lasts, seconds. */
  seconds: number;
  /** Seconds a daemon rests before its memory is read. */
  idleSeconds: number;
  /** A folder of this run alone, on the disk that the store will be on. */
  scratch: string;
  binaries: Binaries;
  /** Says what goes on. */
  say(text: string): void;
}

/** What one bench found: a table, and what a reader must know to judge it. */
export interface Section {
  rows: Row[];
  notes: string[];
}

export interface Bench {
  /** One sentence on what is measured against what. */
  about: string;
  run(context: BenchContext): Promise<Section>;
}

export type Target = { most: number } | { least: number };

/** A row whose target is a bound on the ratio; null where there is none. */
export function ratioRow(
  name: string,
  measured: readonly Pair[],
  target: Target | null,
  show: (value: number) => string = figure,
): Row {
  const { revka, baseline, ratio, lowest, highest } = compare(measured);
  const range = measured.length > 1 ? ` (${lowest.toFixed(2)}–${highest.toFixed(2)})` : "";
  return {
    figure: name,
    revka: show(revka),
    baseline: show(baseline),
    ratio: `${ratio.toFixed(2)}${range}`,
    target: target === null ? "" : targetText(target),
    met: target === null ? null : meets(ratio, target),
  };
}

/** Is the bound kept? */
export function meets(value: number, target: Target): boolean {
  return "most" in target ? value <= target.most : value >= target.least;
}

export function targetText(target: Target, unit = ""): string {
  return "most" in target ? `≤ ${target.most}${unit}` : `≥ ${target.least}${unit}`;
}
