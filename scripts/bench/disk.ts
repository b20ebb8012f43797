import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { silenceLibsignal } from "../../test/doubles/whatsapp-web/quiet.ts";
import { owner, prepareWeb } from "../../test/e2e/support/web.ts";
import { startGraph } from "./graph.ts";
import { startBare, startRevka, type Running } from "./process.ts";
import { signatureOf, webhookBody } from "./requests.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { alternate, compare, pairs, type Pair } from "./statistics.ts";
import { figure, type Row } from "./table.ts";

/** Enough that write-ahead logs are folded in several times. */
const messages = 1_500;
/** Before them, so that the files have their size. */
const warmUp = 100;
const people = 50;
/** Messages whose syncs are counted. */
const watched = 100;
/** A rest between two messages, so that each is written by itself, ms. */
const restMs = 10;
const patienceMs = 30_000;

interface Written {
  /** Bytes that one answered message has the disk write, its share of later folding included. */
  bytes: number;
  /** Times that one answered message has the disk confirm; NaN without strace. */
  syncs: number;
  /** Bytes written in an hour of rest. */
  atRest: number;
  /** Bytes that one `/health` has the disk write; NaN where it was not asked for. */
  health: number;
}

/** Sends one message, and resolves when its answer is there. */
type Ask = (index: number) => Promise<void>;

async function written(pid: number, ask: Ask, context: BenchContext): Promise<Written> {
  let index = 0;
  const askFor = async (count: number) => {
    for (let n = 0; n < count; n++) {
      await ask(index++);
      await Bun.sleep(restMs);
    }
  };
  await askFor(warmUp);
  const before = bytesWritten(pid);
  await askFor(messages);
  const bytes = (bytesWritten(pid) - before) / messages;
  const syncs = (await syncsWhile(pid, () => askFor(watched))) / watched;
  const still = bytesWritten(pid);
  await Bun.sleep(context.idleSeconds * 1000);
  const atRest = ((bytesWritten(pid) - still) * 3600) / context.idleSeconds;
  return { bytes, syncs, atRest, health: NaN };
}

/** Bytes that one `/health` has the disk write: the first ten each look whether the store can be written. */
async function writtenForHealth({ pid, port }: Running): Promise<number> {
  const times = 10;
  const before = bytesWritten(pid);
  for (let n = 0; n < times; n++) await fetch(`http://127.0.0.1:${port}/health`);
  return (bytesWritten(pid) - before) / times;
}

/** Bytes that a process has had written to a disk. proc(5): counted when a page is first changed after it was written. */
function bytesWritten(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, "utf8"))?.[1]);
}

function hasStrace(): boolean {
  return spawnSync("strace", ["-V"]).error === undefined;
}

async function syncsWhile(pid: number, run: () => Promise<void>): Promise<number> {
  if (!hasStrace()) return NaN;
  const words = ["-f", "-e", "trace=fsync,fdatasync", "-p", String(pid)];
  const strace = spawn("strace", words, { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  strace.stderr.setEncoding("utf8").on("data", (part: string) => (said += part));
  while (!said.includes("attached")) await once(strace.stderr, "data");
  await run();
  strace.kill("SIGINT");
  await once(strace, "close");
  // A call that others came between is shown in two halves.
  return [...said.matchAll(/\b(?:fsync|fdatasync)\(/g)].length;
}

/** Posts webhooks to a server on this machine; `answered` is called for each text that it sends. */
function cloudAsk(): { ask(port: number): Ask; answered(to: string, text: string): void } {
  const waiting = new Map<string, () => void>();
  return {
    answered: (_, text) => waiting.get(text)?.(),
    ask: (port) => async (index) => {
      const body = webhookBody(index, people, Date.now());
      const text = /"body":"([^"]+)"/.exec(body)?.[1] ?? "";
      const answer = new Promise<void>((resolve) => waiting.set(text, resolve));
      const headers = {
        "content-type": "application/json",
        "x-hub-signature-256": signatureOf(body),
      };
      const url = `http://127.0.0.1:${port}/whatsapp`;
      const response = await fetch(url, { method: "POST", headers, body });
      if (!response.ok) throw new Error(`the webhook was answered with ${response.status}`);
      await answer;
      waiting.delete(text);
    },
  };
}

async function ofServer(
  context: BenchContext,
  start: (graphUrl: string) => Promise<Running>,
): Promise<Written> {
  const { ask, answered } = cloudAsk();
  const graph = startGraph(answered);
  const server = await start(graph.url);
  try {
    const one = await written(server.pid, ask(server.port), context);
    return { ...one, health: await writtenForHealth(server) };
  } finally {
    await server.stop("SIGKILL");
    graph.stop();
  }
}

async function overWeb(context: BenchContext): Promise<Written> {
  silenceLibsignal();
  await using setup = await prepareWeb({}, { binary: context.binaries.revkaWeb() });
  await setup.start();
  await setup.link();
  const writers = Array.from({ length: people }, (_, n) =>
    setup.wa.addPhone({ number: `4917000001${String(n).padStart(2, "0")}`, name: `Ada ${n}` }),
  );
  const ask: Ask = async (index) => {
    const writer = writers[index % people];
    await writer?.send(setup.owner, `message ${index}`);
    await writer?.inbox.waitFor(
      ({ from, text }) => from === owner.number && text === `message ${index}`,
      patienceMs,
    );
  };
  return await written(setup.daemon.pid, ask, context);
}

async function run(context: BenchContext): Promise<Section> {
  const { binaries, rounds, scratch, say } = context;
  const bare = binaries.bare("keeper");
  const revka = binaries.revka();
  const home = join(scratch, "disk");
  mkdirSync(home);
  const said = (name: string, one: Written) => {
    say(`${name} ${figure(one.bytes / 1024)} KiB and ${figure(one.syncs)} syncs a message`);
    return one;
  };
  const kept = join(scratch, "kept");
  const measured = await alternate(
    rounds,
    async () =>
      said("bare: ", await ofServer(context, (graphUrl) => startBare(bare, [graphUrl, kept]))),
    async () => {
      const agent = { kind: "echo" };
      const start = (graphUrl: string) => startRevka(revka, { home, graphUrl, agent });
      const one = said("Revka:", await ofServer(context, start));
      rmSync(home, { recursive: true });
      return one;
    },
  );
  const web = said("WhatsApp Web:", await overWeb(context));
  const rows = (channel: string, of: { baseline: Written[]; revka: Written[] }) => [
    row(`${channel}: written for an answered message, KiB`, of, (it) => it.bytes / 1024),
    row(`${channel}: syncs of an answered message`, of, (it) => it.syncs),
    row(`${channel}: written at rest, KiB an hour`, of, (it) => it.atRest / 1024),
  ];
  return {
    rows: [
      ...rows("Cloud API", measured),
      row("Cloud API: written for a `/health`, KiB", measured, (it) => it.health / 1024),
      ...rows("WhatsApp Web", { baseline: measured.baseline.slice(0, 1), revka: [web] }),
    ],
    notes: [
      `${figure(messages)} messages of ${people} people, one at a time, which is what costs most: messages that come together share commits. As the kernel counts it (\`write_bytes\`), in pages of 4 KiB, with the log; what the file system adds is not in it. ${hasStrace() ? "Syncs are counted by strace." : "strace is missing: syncs were not counted."} At rest: ${context.idleSeconds} s after the last message.`,
    ],
  };
}

function row(
  name: string,
  measured: { baseline: Written[]; revka: Written[] },
  value: (one: Written) => number,
): Row {
  const both: Pair[] = pairs(measured, value);
  // Nothing is no measure.
  const none = compare(both).baseline === 0;
  return { ...ratioRow(name, both, null), ...(none ? { ratio: "" } : {}) };
}

export const disk: Bench = {
  about:
    "What an answered message writes to the disk, against a compiled echo bot that appends each message and each answer to a file and syncs it.",
  run,
};
