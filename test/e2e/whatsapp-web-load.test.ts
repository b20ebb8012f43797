import { expect, setDefaultTimeout, test } from "bun:test";
import { owner, startLinked, type WebSetup } from "./support/web.ts";

/** More runs than one for a trial by hand: `REVKA_TEST_RUNS=10 bun test test/e2e/whatsapp-web-load.test.ts`. */
const RUNS = Number(process.env["REVKA_TEST_RUNS"] ?? 1);
const EACH_WAY = 60;

setDefaultTimeout(60_000 * RUNS);

const numbers = Array.from({ length: EACH_WAY }, (_, index) => index);

/** Sixty messages each way at once: Ada writes, the operator writes to Ada, and the agent answers every one of hers. */
async function storm(s: WebSetup, run: number): Promise<void> {
  const { control } = s;
  await Promise.all([
    ...numbers.map((n) => control.send({ to: `+${s.ada.number}`, text: `${run} out ${n}` })),
    ...numbers.map((n) => s.ada.send(s.owner, `${run} in ${n}`)),
  ]);
  const ours = (text: string) =>
    s.ada.inbox.all.flatMap((one) =>
      one.from === owner.number && one.text?.startsWith(text) ? [one.text] : [],
    );
  const complete = () => ours(`${run} `).length >= 2 * EACH_WAY;
  await s.ada.inbox.waitFor(complete, 60_000).catch(() => {});
  expect(ours(`${run} in`)).toEqual(numbers.map((n) => `${run} in ${n}`));
  expect(ours(`${run} out`).toSorted()).toEqual(numbers.map((n) => `${run} out ${n}`).toSorted());
}

async function clean(s: WebSetup): Promise<void> {
  await s.quiet();
  expect(s.ada.undecryptable.all).toEqual([]);
  expect(s.ada.duplicates.all).toEqual([]);
  expect((await s.daemon.status()).outbox.failed).toBe(0);
  const metrics = await (await fetch(`${s.daemon.url}/metrics`)).text();
  expect(metrics).not.toContain('reason="undecryptable"');
}

for (let run = 1; run <= RUNS; run++) {
  test(`a warm session, run ${run}: 60 messages each way at once, each read once and in order`, async () => {
    await using s = await startLinked();
    await s.ada.send(s.owner, "hello");
    await s.ada.waitForMessage(({ text, from }) => text === "hello" && from === owner.number);
    await storm(s, run);
    await clean(s);
    expect(s.wa.retriesAsked.all).toEqual([]);
  });

  test(`first contact from both sides at once, run ${run}: 60 messages each way`, async () => {
    await using s = await startLinked();
    await storm(s, run);
    await clean(s);
  });
}
