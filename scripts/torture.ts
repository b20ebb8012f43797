import { countOf, misused, optionsOf } from "./options.ts";
import { scenarios, type Scenario } from "./torture/plan.ts";
import { torture, type TortureReport } from "./torture/run.ts";

/**
 * Kills a real daemon over and over and counts what it lost, repeated or mixed up: `bun run torture --rounds 300
 * --seed 1 --scenario mixed [--agent webhook] [--binary dist/revka]`. Ends with 1 where anything was.
 */
const usage = `bun run torture [--rounds 300, power 60] [--seed 1] [--scenario ${scenarios.join("|")}] [--agent echo|webhook] [--platform cloud|wati] [--chats 40] [--binary FILE]

  kill     SIGKILL inside webhooks, right after an acknowledgement, during turns, between a send and its commit
  start    as kill, and the new process is killed while it starts (the first one while it makes its store)
  lost     as kill, and answers of the platform get lost, or its connections break
  network  as kill, and webhooks come twice, in another order, over connections that break
  away     as kill, and the platform cannot be reached now and then
  disk     as kill, and the disk is full now and then (Linux, root)
  power    as kill and start, and the power goes with most kills: what was not synced is lost (Linux, strace)
  mixed    all of it but power
  blind    as lost, and the platform tells nothing: shows what cannot be promised (repeats are expected)
`;

const { values } = optionsOf(usage, {
  options: {
    rounds: { type: "string" },
    seed: { type: "string", default: "1" },
    scenario: { type: "string", default: "mixed" },
    agent: { type: "string", default: "echo" },
    platform: { type: "string", default: "cloud" },
    chats: { type: "string", default: "40" },
    binary: { type: "string" },
  },
});
const scenario = scenarios.find((name) => name === values.scenario);
const agent = (["echo", "webhook"] as const).find((name) => name === values.agent);
if (!scenario) misused(usage, `there is no scenario "${values.scenario}"`);
const platform = (["cloud", "wati"] as const).find((name) => name === values.platform);
if (!agent) misused(usage, `there is no agent "${values.agent}"`);
if (!platform) misused(usage, `there is no platform "${values.platform}"`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const rounds = countOf(usage, "rounds", values.rounds ?? (scenario === "power" ? "60" : "300"));
const report = await torture({
  rounds,
  seed: countOf(usage, "seed", values.seed),
  scenario,
  agent,
  platform,
  chats: countOf(usage, "chats", values.chats),
  binary: values.binary ?? null,
  say: (line) => console.log(line),
});
print(report, scenario);
process.exit(isFine(report, scenario) ? 0 : 1);

function isFine({ verdict, store, crashes, firstStarts }: TortureReport, kind: Scenario): boolean {
  const bad = [verdict.lost, verdict.outOfOrder, verdict.againstStoredOrder, verdict.answeredTwice];
  const repeats = kind === "blind" ? 0 : verdict.doubled.length;
  const ended = kind === "disk" || kind === "mixed" ? 0 : crashes.length;
  return (
    bad.every((list) => list.length === 0) &&
    repeats + ended + verdict.foreign === 0 &&
    verdict.acknowledged === verdict.messages &&
    firstStarts.cameUp === firstStarts.killed &&
    store.integrity === "ok"
  );
}

function print(result: TortureReport, kind: Scenario): void {
  const { verdict, store, acknowledgement } = result;
  const show = (ids: string[]) =>
    ids.length === 0 ? "0" : `${ids.length} (${ids.slice(0, 3).join(", ")} …)`;
  const rows: [string, string | number][] = [
    ["scenario", `${kind} on ${values.platform}, seed ${values.seed}, agent ${values.agent}`],
    ["rounds", rounds],
    ["kills", `${result.kills} (${result.starts} starts)`],
    ...(result.firstStarts.killed === 0
      ? []
      : [
          [
            "first starts",
            `${result.firstStarts.killed} killed, ${result.firstStarts.cameUp} came up again`,
          ] as [string, string],
        ]),
    ...(result.power === null
      ? []
      : [
          [
            "power cuts",
            `${result.power.cuts}, with ${result.power.uncertain} changes of the store not synced`,
          ] as [string, string],
        ]),
    ["messages", verdict.messages],
    ["acknowledged", verdict.acknowledged],
    ["lost", show(verdict.lost)],
    ["answered twice", show(verdict.answeredTwice)],
    ["out of order", show(verdict.outOfOrder)],
    ["not as stored", show(verdict.againstStoredOrder)],
    ["doubled sends", show(verdict.doubled)],
    [
      "failed deliveries",
      [result.failedDeliveries.count, ...new Set(result.failedDeliveries.codes)].join(" "),
    ],
    ["other sends", verdict.foreign],
    ["refused webhooks", JSON.stringify(result.refusals)],
    [
      "acknowledged in",
      `median ${acknowledgement.median.toFixed(1)} ms, p99 ${acknowledgement.p99.toFixed(1)} ms`,
    ],
    ["store", `integrity ${store.integrity}, ${store.bytes} bytes`],
    ...(result.agentTurns === null ? [] : [["agent turns", result.agentTurns] as [string, number]]),
    ["seconds", result.seconds.toFixed(1)],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(18)}${value}`);
  if (result.crashes.length > 0) {
    console.log(`ended by itself ${result.crashes.length} times:`);
    for (const crash of new Set(result.crashes)) console.log(`  ${crash}`);
  }
}
