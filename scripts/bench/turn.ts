import { rmSync } from "node:fs";
import { join } from "node:path";
import { startBare, startRevka, type Running } from "./process.ts";
import { startGraph } from "./graph.ts";
import { signatureOf, webhookBody } from "./requests.ts";
import {
  meets,
  ratioRow,
  targetText,
  type Bench,
  type BenchContext,
  type Section,
} from "./section.ts";
import { alternate, compare, pairs, percentile, type Pair } from "./statistics.ts";
import { figure, type Row } from "./table.ts";

/** Messages a second; each at its own time, whatever became of those before. */
const perSecond = 200;
const warmUpSeconds = 3;
/** Everyone writes now and then: nobody is answered faster than Meta allows. */
const chats = 5_000;

export interface TurnTimes {
  p50: number;
  p99: number;
}

/** Posts messages at a steady pace, and takes the time from each post to its answer's arrival at the Graph API. */
export async function turnTimes(
  seconds: number,
  start: (graphUrl: string) => Promise<Running>,
): Promise<TurnTimes> {
  const posted = new Map<string, number>();
  const times: number[] = [];
  let counts = false;
  const graph = startGraph((_to, text) => {
    const at = posted.get(text);
    if (at === undefined) return;
    posted.delete(text);
    if (counts) times.push(performance.now() - at);
  });
  const server = await start(graph.url);
  try {
    const url = `http://127.0.0.1:${server.port}/whatsapp`;
    const began = performance.now();
    const total = (warmUpSeconds + seconds) * perSecond;
    for (let index = 0; index < total; index++) {
      const due = began + (index * 1000) / perSecond;
      const wait = due - performance.now();
      if (wait > 0) await Bun.sleep(wait);
      counts = index >= warmUpSeconds * perSecond;
      void post(url, index, posted);
    }
    for (let tries = 0; posted.size > 0 && tries < 500; tries++) await Bun.sleep(10);
    if (posted.size > 0) throw new Error(`${posted.size} of ${total} messages were not answered`);
  } finally {
    await server.stop("SIGKILL");
    graph.stop();
  }
  return { p50: percentile(times, 0.5), p99: percentile(times, 0.99) };
}

async function post(url: string, index: number, posted: Map<string, number>): Promise<void> {
  const body = webhookBody(index, chats, Date.now());
  const text = /"body":"([^"]+)"/.exec(body)?.[1] ?? "";
  const headers = {
    "content-type": "application/json",
    "x-hub-signature-256": signatureOf(body),
  };
  posted.set(text, performance.now());
  const answer = await fetch(url, { method: "POST", headers, body });
  if (!answer.ok) throw new Error(`the webhook was answered with ${answer.status}`);
}

async function run(context: BenchContext): Promise<Section> {
  const { binaries, rounds, scratch, seconds, say } = context;
  const bare = binaries.bare("echo");
  const revka = binaries.revka();
  const home = join(scratch, "turn");
  const measured = await alternate(
    rounds,
    () => turnTimes(seconds, (graphUrl) => startBare(bare, [graphUrl])),
    async () => {
      const times = await turnTimes(seconds, (graphUrl) =>
        startRevka(revka, { home, graphUrl, agent: { kind: "echo" } }),
      );
      rmSync(home, { recursive: true });
      say(`Revka: p50 ${figure(times.p50)} ms, p99 ${figure(times.p99)} ms`);
      return times;
    },
  );
  return {
    rows: [
      valueRow(
        "p50, ms",
        pairs(measured, (it) => it.p50),
        5,
      ),
      valueRow(
        "p99, ms",
        pairs(measured, (it) => it.p99),
        25,
      ),
    ],
    notes: [
      `${perSecond} messages a second from ${figure(chats)} people, each posted at its own time. Every turn also marks its message read and shows typing, as shipped, which is one more request to the Graph API. Generator and Graph stand-in share one process and one clock.`,
    ],
  };
}

/** The target is on the value itself; the ratio only says what a program that keeps nothing would take. */
function valueRow(name: string, measured: Pair[], most: number): Row {
  return {
    ...ratioRow(name, measured, null),
    target: targetText({ most }, " ms"),
    met: meets(compare(measured).revka, { most }),
  };
}

export const turn: Bench = {
  about:
    "From posting a webhook to the arrival of the echo agent's answer at the Graph API, against a compiled program that calls the Graph API straight from its handler and keeps nothing.",
  run,
};
