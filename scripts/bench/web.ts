import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Phone } from "../../test/doubles/whatsapp-web/phone.ts";
import { silenceLibsignal } from "../../test/doubles/whatsapp-web/quiet.ts";
import { startDouble, type WhatsAppDouble } from "../../test/doubles/whatsapp-web/server.ts";
import { owner, prepareWeb } from "../../test/e2e/support/web.ts";
import { residentMemory } from "./machine.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { alternate, pairs } from "./statistics.ts";
import { figure } from "./table.ts";

/** People who write: Revka answers one chat's messages one after the other, different chats side by side. */
const people = 20;
/** Messages of each person in one measurement, all sent at once. */
const messages = 20;
/** Before it, so that sessions and code are warm. */
const warmUp = 10;
const patienceMs = 120_000;

interface Measured {
  /** Messages answered a second. */
  rate: number;
  /** Resident after a rest, KiB. */
  memory: number;
}

/** Everyone sends `count` texts and waits until each has come back; answers how many a second. */
async function echoes(writers: Phone[], to: Phone, name: string, count: number): Promise<number> {
  const began = performance.now();
  await Promise.all(
    writers.map(async (writer) => {
      await Promise.all(Array.from({ length: count }, (_, n) => writer.send(to, `${name} ${n}`)));
      await writer.inbox.waitForCount(
        count,
        ({ from, text }) => from === owner.number && text?.startsWith(`${name} `) === true,
        patienceMs,
      );
    }),
  );
  return (writers.length * count * 1000) / (performance.now() - began);
}

function addWriters(wa: WhatsAppDouble): Phone[] {
  return Array.from({ length: people }, (_, n) =>
    wa.addPhone({ number: `4917000001${String(n).padStart(2, "0")}`, name: `Ada ${n}` }),
  );
}

async function measure(
  writers: Phone[],
  to: Phone,
  pid: number,
  context: BenchContext,
): Promise<Measured> {
  await Bun.sleep(context.idleSeconds * 1000);
  const memory = residentMemory(pid).all;
  await echoes(writers, to, "warm", warmUp);
  return { rate: await echoes(writers, to, "count", messages), memory };
}

async function bare(file: string, context: BenchContext): Promise<Measured> {
  const wa = await startDouble();
  const mine = wa.addPhone(owner);
  const writers = addWriters(wa);
  const child = spawn(file, [wa.url], {
    env: { REVKA_TEST_WA_ROOT: wa.rootHex },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await mine.scanQr(String((await lines.next()).value));
    await lines.next();
    return await measure(writers, mine, child.pid ?? -1, context);
  } finally {
    child.kill("SIGKILL");
    await wa.stop();
  }
}

async function revka(binary: string, context: BenchContext): Promise<Measured> {
  await using setup = await prepareWeb({}, { binary });
  await setup.start();
  await setup.link();
  return await measure(addWriters(setup.wa), setup.owner, setup.daemon.pid, context);
}

async function run(context: BenchContext): Promise<Section> {
  silenceLibsignal();
  const { binaries, rounds, say } = context;
  const bareFile = binaries.bare("web");
  const revkaFile = binaries.revkaWeb();
  const measured = await alternate(
    rounds,
    async () => {
      const one = await bare(bareFile, context);
      say(`bare:  ${figure(one.rate)} a second, ${figure(one.memory / 1024)} MiB`);
      return one;
    },
    async () => {
      const one = await revka(revkaFile, context);
      say(`Revka: ${figure(one.rate)} a second, ${figure(one.memory / 1024)} MiB`);
      return one;
    },
  );
  return {
    rows: [
      ratioRow(
        "messages a second",
        pairs(measured, (it) => it.rate),
        { least: 0.8 },
      ),
      ratioRow(
        "resident when linked and idle, MiB",
        pairs(measured, (it) => it.memory / 1024),
        { most: 1.2 },
      ),
    ],
    notes: [
      `${people} contacts send ${messages} texts each, all at once, after ${warmUp} each to warm up, and count what comes back. Memory is read ${context.idleSeconds} s after linking. Revka is built as it is shipped. Both programs trust the stand-in for WhatsApp, which runs with the contacts' phones in the process of the bench. The bare one keeps its session in memory and nothing else.`,
    ],
  };
}

export const web: Bench = {
  about:
    "Decrypt, echo, encrypt over WhatsApp Web, against a bare Baileys socket that answers from its event handler, on the same stand-in for WhatsApp.",
  run,
};
