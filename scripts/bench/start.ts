import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { startGraph } from "./graph.ts";
import { startBare, startRevka } from "./process.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { alternate, pairs } from "./statistics.ts";

/** One start is short, so each round takes many. */
const startsPerRound = 10;

async function run(context: BenchContext): Promise<Section> {
  const { binaries, scratch } = context;
  const rounds = context.rounds * startsPerRound;
  const hello = binaries.bare("hello");
  const server = binaries.bare("server");
  const revka = binaries.revka();
  const graph = startGraph();
  const home = join(scratch, "start");
  const daemonOptions = { home, graphUrl: graph.url, agent: { kind: "echo" } };
  const noHome = join(scratch, "no-home");
  mkdirSync(noHome);
  try {
    const health = await alternate(
      rounds,
      () => timeToAnswer(() => startBare(server)),
      () => timeToAnswer(() => startRevka(revka, daemonOptions)),
    );
    const version = await alternate(
      rounds,
      () => timeToExit(hello, [], noHome),
      () => timeToExit(revka, ["--version"], noHome),
    );
    const daemon = await startRevka(revka, daemonOptions);
    const status = await alternate(
      rounds,
      () => timeToExit(hello, [], home),
      () => timeToExit(revka, ["status"], home),
    ).finally(() => daemon.stop());
    const own = (ms: number) => ms;
    return {
      rows: [
        ratioRow("daemon to the first `/health`, ms", pairs(health, own), { most: 2 }),
        ratioRow("`status` with a running daemon, ms", pairs(status, own), { most: 1.5 }),
        ratioRow("`--version`, ms", pairs(version, own), { most: 1.5 }),
      ],
      notes: [
        `Medians of ${rounds} starts a side. The store exists and is empty, as after a restart; all files are in the page cache.`,
      ],
    };
  } finally {
    graph.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

async function timeToAnswer(start: () => ReturnType<typeof startBare>): Promise<number> {
  const running = await start();
  await running.stop();
  return running.startMs;
}

/** From exec to the end of the process, ms. Throws where it fails. */
function timeToExit(file: string, words: string[], home: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(file, words, { stdio: "ignore", env: { REVKA_HOME: home, HOME: home } });
    child.once("exit", (code) => {
      if (code === 0) resolve(performance.now() - began);
      else reject(new Error(`${file} ${words.join(" ")} ended with ${code}`));
    });
  });
}

export const start: Bench = {
  about:
    "From exec to the first answered `/health` against a compiled `Bun.serve`; from exec to exit against a compiled program that prints one word.",
  run,
};
