/** One line of a table: figures as text, and whether the target is met (null: there is none). */
export interface Row {
  figure: string;
  revka: string;
  baseline: string;
  ratio: string;
  target: string;
  met: boolean | null;
}

const head = ["", "Revka", "Baseline", "Ratio", "Target", ""];

function cells(row: Row): string[] {
  const verdict = row.met === null ? "" : row.met ? "met" : "missed";
  return [row.figure, row.revka, row.baseline, row.ratio, row.target, verdict];
}

/** For the terminal: columns aligned, no lines. */
export function plainTable(rows: readonly Row[]): string {
  const lines = [head, ...rows.map(cells)];
  const widths = head.map((_, column) => Math.max(...lines.map((it) => (it[column] ?? "").length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** For the document. */
export function markdownTable(rows: readonly Row[]): string {
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:")))]
    .concat(rows.map((row) => line(cells(row))))
    .join("\n");
}

/** `12,345`, `12.3`, `1.23`: three digits that matter. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}
