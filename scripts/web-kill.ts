import { countOf, optionsOf } from "./options.ts";
import { isFine, killWeb, type WebKillReport } from "./web-kill/run.ts";

/**
 * Kills a real daemon on WhatsApp Web over and over, while it links, receives and sends, and counts what the phones
 * miss or read twice: `bun run web-kill --rounds 200 --seed 1`. Ends with 1 where anything was.
 */
const usage = `bun run web-kill [--rounds 200] [--seed 1] [--power] [--verbose]

A stand-in for WhatsApp lives on; the daemon is killed by SIGKILL, a fifth of the rounds while a phone links it, the
others at random moments between login, receipt, turn, send and acknowledgement. With --power, the power goes with most
kills: of the session and the store is left what was synced, and any part of the rest (Linux, strace).`;

const { values } = optionsOf(usage, {
  options: {
    rounds: { type: "string", default: "200" },
    seed: { type: "string", default: "1" },
    power: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const rounds = countOf(usage, "rounds", values.rounds);
const seed = countOf(usage, "seed", values.seed);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
const say = (line: string) => console.log(line);
const report = await killWeb({
  ...{ rounds, seed, say, power: values.power },
  ...(values.verbose ? { trace: say } : {}),
});
print(report);
process.exit(isFine(report) ? 0 : 1);

function print({ linking, traffic, kills, power, crashes, seconds }: WebKillReport): void {
  const show = (ids: string[]) =>
    ids.length === 0 ? "0" : `${ids.length} (${ids.slice(0, 3).join(", ")} …)`;
  const rows: [string, string | number][] = [
    ["rounds", `${rounds}, seed ${seed}`],
    ["kills", `${kills} (${linking.kills} while linking)`],
    ...(power
      ? [["power cuts", `${power.cuts}, ${power.uncertain} changes not synced`] as [string, string]]
      : []),
    ["links", `${linking.homes} homes; killed with the link made ${linking.killedLinked}`],
    ["link lost", show(linking.lost)],
    ["links in traffic", traffic.links],
    ["messages", `${traffic.messages}, replies expected ${traffic.expected}`],
    ["lost", show(traffic.lost)],
    ["answered twice", show(traffic.answeredTwice)],
    ["out of order", show(traffic.outOfOrder)],
    ["foreign", show(traffic.foreign)],
    ["same id again", `${traffic.duplicates} (dropped by the phones)`],
    ["asked for again", `${traffic.retries} by phones`],
    ["unread by phones", traffic.undecryptable],
    ["failed", traffic.failed],
    ["seconds", seconds.toFixed(1)],
  ];
  for (const [name, value] of rows) console.log(`${name.padEnd(18)}${value}`);
  for (const crash of new Set(crashes)) console.log(`ended by itself: ${crash}`);
}
