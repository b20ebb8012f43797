import { rmSync } from "node:fs";
import { join } from "node:path";
import { startGraph } from "./graph.ts";
import { residentMemory } from "./machine.ts";
import { startBare, startRevka, type Running } from "./process.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { compare, pairs } from "./statistics.ts";
import type { Row } from "./table.ts";

/** What the daemon may hold over a bare server, KiB. */
const allowance = 15 * 1024;

async function run(context: BenchContext): Promise<Section> {
  const { binaries, scratch, idleSeconds, rounds } = context;
  const server = binaries.bare("server");
  const revka = binaries.revka();
  const graph = startGraph();
  const home = join(scratch, "memory");
  const rest = async (running: Running) => {
    await Bun.sleep(idleSeconds * 1000);
    const memory = residentMemory(running.pid);
    await running.stop();
    return memory;
  };
  // Both sides rest side by side: nothing they do in that time is in the other's way.
  const measured = { baseline: [], revka: [] } as {
    baseline: { all: number; anonymous: number }[];
    revka: { all: number; anonymous: number }[];
  };
  try {
    for (let round = 0; round < rounds; round++) {
      const options = { home, graphUrl: graph.url, agent: { kind: "echo" } };
      const both = [await startBare(server), await startRevka(revka, options)] as const;
      const [bare, own] = await Promise.all(both.map(rest));
      if (bare && own) {
        measured.baseline.push(bare);
        measured.revka.push(own);
      }
    }
  } finally {
    graph.stop();
    rmSync(home, { recursive: true, force: true });
  }
  const all = pairs(measured, (it) => it.all);
  const { revka: held, baseline } = compare(all);
  return {
    rows: [
      {
        ...ratioRow("resident, MiB", all, null, mebibytes),
        target: `≤ baseline + ${mebibytes(allowance)}`,
        met: held - baseline <= allowance,
      } satisfies Row,
      ratioRow(
        "of that anonymous, MiB",
        pairs(measured, (it) => it.anonymous),
        null,
        mebibytes,
      ),
    ],
    notes: [
      `Read ${idleSeconds} s after the first answer, from /proc. Nothing was sent meanwhile.`,
    ],
  };
}

function mebibytes(kibibytes: number): string {
  return (kibibytes / 1024).toFixed(1);
}

export const memory: Bench = {
  about: "Resident memory of an idle daemon against a compiled `Bun.serve`.",
  run,
};
