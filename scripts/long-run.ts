import { longRun, type Sample } from "./long-run/run.ts";
import { countOf, optionsOf } from "./options.ts";

/**
 * Sends a million messages through a real daemon and shows what that does to its memory, its store and its pace:
 * `bun run long-run --messages 1000000`. Ends with 1 where memory grew, the rate fell or a message went missing.
 */
const usage = `bun run long-run [--messages 1000000] [--window 128] [--samples 40] [--no-statuses] [--receipts] [--binary FILE]

  --window       messages that are under way at once
  --samples      lines to print
  --no-statuses  the platform reports no sent and delivered
  --receipts     mark messages read and show typing, as shipped
  --binary       an executable of Revka; else the source`;

const { values } = optionsOf(usage, {
  options: {
    messages: { type: "string", default: "1000000" },
    window: { type: "string", default: "128" },
    samples: { type: "string", default: "40" },
    "no-statuses": { type: "boolean", default: false },
    receipts: { type: "boolean", default: false },
    binary: { type: "string" },
  },
});
const messages = countOf(usage, "messages", values.messages);
/** Memory is compared from here on, when as many chats have written as the daemon keeps at hand. */
const warmAfter = 100_000;
const allowedGrowth = 10 * 1024 * 1024;
const allowedRate = 0.9;

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => process.exit(130));
console.log("messages   a second   µs of CPU  memory      store");
const report = await longRun({
  messages,
  window: countOf(usage, "window", values.window),
  samples: countOf(usage, "samples", values.samples),
  statuses: !values["no-statuses"],
  receipts: values.receipts,
  binary: values.binary ?? null,
  onSample: (sample) =>
    console.log(
      String(sample.messages).padEnd(11) +
        sample.rate.toFixed(0).padEnd(11) +
        (sample.cpu?.toFixed(0) ?? "?").padEnd(11) +
        mib(sample.memory).padEnd(12) +
        mib(sample.storeBytes),
    ),
});
const { samples, acknowledgement } = report;
const warm = samples.filter((sample) => sample.messages >= Math.min(warmAfter, messages / 4));
const fifth = Math.ceil(samples.length / 5);
const mean = (some: Sample[], of: (sample: Sample) => number) =>
  some.reduce((sum, sample) => sum + of(sample), 0) / Math.max(1, some.length);
// A sample of memory is as chance has it between two collections: many against many.
const few = Math.ceil(warm.length / 5);
const memory = (some: Sample[]) => mean(some, (sample) => sample.memory);
const growth = memory(warm.slice(-few)) - memory(warm.slice(0, few));
const highest = Math.max(...samples.map((sample) => sample.memory));
const lastOfFirst = (of: (sample: Sample) => number) =>
  mean(samples.slice(-fifth), of) / mean(samples.slice(0, fifth), of);
const share = lastOfFirst((sample) => sample.rate);
const cpuShare = lastOfFirst((sample) => sample.cpu ?? Number.NaN);
console.log(`
answered          ${report.answered} of ${messages}, twice: ${report.answeredTwice}
seconds           ${report.seconds.toFixed(0)} (${(report.answered / report.seconds).toFixed(0)} messages a second)
acknowledged in   median ${acknowledgement.median.toFixed(1)} ms, p99 ${acknowledgement.p99.toFixed(1)} ms
memory            grew by ${mib(growth)} after the first ${warm.at(0)?.messages ?? 0}, at most ${mib(highest)}
rate              last fifth ${(share * 100).toFixed(0)} % of the first
processor time    a message of the last fifth takes ${(cpuShare * 100).toFixed(0)} % of one of the first
store             ${((samples.at(-1)?.storeBytes ?? 0) / messages).toFixed(0)} bytes a message`);
for (const crash of report.crashes) console.log(`the daemon ended: ${crash}`);
const fine =
  report.answered === messages &&
  report.answeredTwice === 0 &&
  report.crashes.length === 0 &&
  growth < allowedGrowth &&
  share >= allowedRate;
process.exit(fine ? 0 : 1);
