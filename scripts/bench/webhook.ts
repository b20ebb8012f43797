import { rmSync } from "node:fs";
import { join } from "node:path";
import { startGraph } from "./graph.ts";
import { hasWrk, runLoad, type LoadResult } from "./load.ts";
import { fsyncMs, processorMs } from "./machine.ts";
import { startBare, startRevka, type Running } from "./process.ts";
import { writeRequests, type RequestFile } from "./requests.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { alternate, pairs } from "./statistics.ts";
import { figure, type Row } from "./table.ts";

/** Connections of the generator, each with one request under way. */
export const connections = 64;
/** People who write; far from the limit of messages that may wait in one chat. */
const chats = 2_000;
/** Seconds before the measurement, in which both sides are compiled by the runtime. */
const warmUpSeconds = 4;
/** More than any run takes: a body that came twice would be a duplicate, which costs less. */
const requestsPerSecond = 40_000;

/** Enough distinct requests for one measurement with its warm-up. */
export function requestsFor(context: BenchContext): RequestFile {
  const count = (context.seconds + warmUpSeconds) * requestsPerSecond;
  context.say(`writing ${figure(count)} signed bodies`);
  return writeRequests(join(context.scratch, "requests"), count, chats);
}

export interface Loaded extends LoadResult {
  /** Processor time of one request, µs: what others do on the machine hardly changes it. */
  processor: number;
}

/** Loads one server, and gives the figures after the warm-up. */
async function loaded(server: Running, requests: RequestFile, seconds: number): Promise<Loaded> {
  const load = { port: server.port, requests, connections };
  const warm = await runLoad({ ...load, first: 0, seconds: warmUpSeconds });
  const before = processorMs(server.pid);
  const result = await runLoad({ ...load, first: warm.requests + connections, seconds });
  const processor = ((processorMs(server.pid) - before) * 1000) / result.requests;
  return { ...result, processor };
}

/** As {@link loaded}, of a daemon; throws where not every answered message was counted as new and stored. */
export async function loadedDaemon(
  daemon: Running,
  requests: RequestFile,
  seconds: number,
): Promise<Loaded> {
  const result = await loaded(daemon, requests, seconds);
  const answer = await fetch(`http://127.0.0.1:${daemon.port}/metrics`);
  const metrics = await answer.text();
  const taken = Number(/^revka_messages_in_total\{.*type="text".*\} (\d+)/m.exec(metrics)?.[1]);
  const twice = /^revka_duplicates_total\{.*\} (\d+)/m.exec(metrics)?.[1];
  if (!(taken >= result.requests)) {
    throw new Error(`${taken} messages for ${result.requests} answers`);
  }
  if (twice !== undefined && twice !== "0") throw new Error(`${twice} bodies came twice`);
  return result;
}

async function run(context: BenchContext): Promise<Section> {
  const { scratch, binaries, rounds, seconds, say } = context;
  const bare = binaries.bare("server");
  const revka = binaries.revka();
  const requests = requestsFor(context);
  const graph = startGraph();
  const home = join(scratch, "webhook");
  try {
    const measured = await alternate(
      rounds,
      async () => {
        const server = await startBare(bare);
        const result = await loaded(server, requests, seconds).finally(() =>
          server.stop("SIGKILL"),
        );
        say(`bare:  ${result.requests} requests, p99 ${figure(result.p99)} ms`);
        return result;
      },
      async () => {
        const daemon = await startRevka(revka, {
          home,
          graphUrl: graph.url,
          agent: graph.silentAgent,
        });
        const result = await loadedDaemon(daemon, requests, seconds).finally(() =>
          daemon.stop("SIGKILL"),
        );
        rmSync(home, { recursive: true });
        say(
          `Revka: ${result.requests} requests, p99 ${figure(result.p99)} ms, ${figure(result.processor)} µs of processor each`,
        );
        return result;
      },
    );
    return { rows: rowsOf(measured), notes: notesOf(context) };
  } finally {
    graph.stop();
  }
}

function rowsOf(measured: { baseline: Loaded[]; revka: Loaded[] }): Row[] {
  return [
    ratioRow(
      "requests a second",
      pairs(measured, (it) => it.requests / it.seconds),
      { least: 0.5 },
    ),
    ratioRow(
      "p50, ms",
      pairs(measured, (it) => it.p50),
      null,
    ),
    ratioRow(
      "p99, ms",
      pairs(measured, (it) => it.p99),
      null,
    ),
    ratioRow(
      "processor time of a request, µs",
      pairs(measured, (it) => it.processor),
      null,
    ),
  ];
}

function notesOf(context: BenchContext): string[] {
  return [
    hasWrk()
      ? `Load: wrk, one thread, ${connections} connections, each body sent once.`
      : `wrk is missing: a generator of our own, ${connections} connections, took its place. It is slower than the bare server, so the ratio flatters Revka: install wrk for a figure that counts.`,
    `${figure(chats)} people write; the agent hangs at its first turn, so that turns take no part. Log at level info, as JSON lines into a file. One write of 4 KiB with its fsync takes ${figure(fsyncMs(context.scratch))} ms on this disk.`,
  ];
}

export const webhook: Bench = {
  about:
    "The whole durable path (signature, parsing, admission, a row committed with fsync) against a compiled `Bun.serve` that reads the body and answers, both fresh in each round.",
  run,
};
