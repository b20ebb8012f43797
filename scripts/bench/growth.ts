import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { openStore } from "../../src/store/sqlite.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { startGraph } from "./graph.ts";
import { startRevka } from "./process.ts";
import { account } from "./requests.ts";
import { ratioRow, type Bench, type BenchContext, type Section } from "./section.ts";
import { alternate, pairs } from "./statistics.ts";
import { turnTimes, type TurnTimes } from "./turn.ts";
import { figure } from "./table.ts";
import { loadedDaemon, requestsFor } from "./webhook.ts";

/** Messages that were answered before: as many rows in the inbox, in the outbox, and twice as many in the history. */
const messages = 1_000_000;
const people = 50_000;

/** Writes a store without a message. */
function makeStore(path: string): void {
  openStore({ path, clock: systemClock, phoneKey: (phone) => phone }).store.close();
}

/** Writes a store as a million answered messages leave it. */
export function fillStore(path: string, count: number, persons: number): void {
  makeStore(path);
  const db = new DatabaseSync(path);
  const now = Date.now();
  const numbers = (last: number) =>
    `WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${last})`;
  const text = "'I would like to know more about number ' || i";
  db.exec(`
    BEGIN;
    INSERT INTO sources (id, channel, account, backend) VALUES (1, 'whatsapp', '${account.phoneNumberId}', 'cloud');
    ${numbers(persons)} INSERT INTO people (id, source, phone, phone_key, user_id)
      SELECT i, 1, '+1777' || (1000000 + i), '+1777' || (1000000 + i), 'US.' || (1000000 + i) FROM n;
    ${numbers(persons)} INSERT INTO chats (id, source, kind, person, last_inbound_at)
      SELECT i, 1, 'direct', i, ${now} FROM n;
    ${numbers(count)} INSERT INTO inbox (source, platform_id, chat, state, received_at, bytes)
      SELECT 1, 'wamid.' || hex(randomblob(20)), 1 + i % ${persons}, 1, ${now} - i * 1000, 300 FROM n;
    ${numbers(count)} INSERT INTO history (chat, role, text, at, message)
      SELECT 1 + i % ${persons}, 'user', ${text}, ${now}, i FROM n;
    ${numbers(count)} INSERT INTO history (chat, role, text, at)
      SELECT 1 + i % ${persons}, 'assistant', ${text}, ${now} FROM n;
    ${numbers(count)} INSERT INTO outbox (id, chat, state, attempts, platform_id, status, created_at, updated_at)
      SELECT hex(randomblob(13)), 1 + i % ${persons}, 2, 1, 'wamid.' || hex(randomblob(20)), 'read', ${now} - i * 1000, ${now} FROM n;
    COMMIT;
    PRAGMA wal_checkpoint(TRUNCATE);`);
  db.close();
}

async function run(context: BenchContext): Promise<Section> {
  const { scratch, binaries, rounds, seconds, say } = context;
  const revka = binaries.revka();
  const requests = requestsFor(context);
  const [empty, full] = [join(scratch, "empty.db"), join(scratch, "full.db")];
  makeStore(empty);
  say(`writing a store with ${figure(messages)} answered messages`);
  fillStore(full, messages, people);
  const home = join(scratch, "growth");
  const fresh = (filled: boolean) => {
    rmSync(home, { recursive: true, force: true });
    mkdirSync(home);
    // The empty one is there before as well: to make it takes longer than to open a full one.
    copyFileSync(filled ? full : empty, join(home, "revka.db"));
  };
  const graph = startGraph();
  const webhooks = async (filled: boolean) => {
    fresh(filled);
    const options = { home, graphUrl: graph.url, agent: graph.silentAgent };
    const daemon = await startRevka(revka, options);
    const { startMs } = daemon;
    const result = await loadedDaemon(daemon, requests, seconds).finally(() =>
      daemon.stop("SIGKILL"),
    );
    say(`${filled ? "full" : "empty"}: ${result.requests} requests, start ${figure(startMs)} ms`);
    return { ...result, startMs };
  };
  const turns = (filled: boolean): Promise<TurnTimes> => {
    fresh(filled);
    return turnTimes(seconds, (graphUrl) =>
      startRevka(revka, { home, graphUrl, agent: { kind: "echo" } }),
    );
  };
  try {
    const loads = await alternate(
      rounds,
      () => webhooks(false),
      () => webhooks(true),
    );
    const times = await alternate(
      rounds,
      () => turns(false),
      () => turns(true),
    );
    return {
      rows: [
        ratioRow(
          "webhook requests a second",
          pairs(loads, (it) => it.requests / it.seconds),
          { least: 0.9 },
        ),
        // Turns a second at the same load would be the same; how long one takes is what may grow.
        ratioRow(
          "turns: 1000 / p50 in ms",
          pairs(times, (it) => 1000 / it.p50),
          { least: 0.9 },
        ),
        ratioRow(
          "turns: p99, ms",
          pairs(times, (it) => it.p99),
          null,
        ),
        ratioRow(
          "start to the first `/health`, ms",
          pairs(loads, (it) => it.startMs),
          null,
        ),
      ],
      notes: [
        `The store holds ${figure(messages)} answered messages of ${figure(people)} people: as many rows in the inbox and the outbox, twice as many in the history. In this table the baseline is Revka with an empty store.`,
      ],
    };
  } finally {
    graph.stop();
  }
}

export const growth: Bench = {
  about: "Webhooks and turns with a large store against the same with an empty one.",
  run,
};
