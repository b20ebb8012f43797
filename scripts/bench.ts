import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaries } from "./bench/binaries.ts";
import { writeSection } from "./bench/document.ts";
import { disk } from "./bench/disk.ts";
import { growth } from "./bench/growth.ts";
import { hasWrk } from "./bench/load.ts";
import { loadBefore, machine } from "./bench/machine.ts";
import { memory } from "./bench/memory.ts";
import type { Bench, Section } from "./bench/section.ts";
import { size } from "./bench/size.ts";
import { start } from "./bench/start.ts";
import { markdownTable, plainTable } from "./bench/table.ts";
import { turn } from "./bench/turn.ts";
import { web } from "./bench/web.ts";
import { webhook } from "./bench/webhook.ts";
import { countOf, misused, optionsOf } from "./options.ts";

/**
 * `bun run bench [NAME…]`: measures Revka against baselines in the same run, prints a table for each bench and writes
 * it to docs/performance.md.
 */

const benches: Record<string, Bench> = { webhook, turn, start, memory, size, growth, web, disk };
const usage = `bun run bench [NAME…] [--rounds N] [--seconds N] [--idle-seconds N] [--binary FILE] [--no-write]
Names: ${Object.keys(benches).join(", ")}; all when none is given.
--binary FILE    measure this executable of Revka instead of building one
--no-write       leave docs/performance.md as it is`;

const { values, positionals } = optionsOf(usage, {
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    "idle-seconds": { type: "string", default: "60" },
    binary: { type: "string" },
    "no-write": { type: "boolean", default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (unknown.length > 0) misused(usage, `there is no bench ${unknown.join(", ")}`);

const say = (text: string) => console.error(text);
if (!hasWrk()) {
  say("wrk is missing: a generator of our own takes its place, and its figures flatter Revka.");
}
const scratch = mkdtempSync(join(tmpdir(), "revka-bench-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const context = {
  rounds: countOf(usage, "rounds", values.rounds),
  seconds: countOf(usage, "seconds", values.seconds),
  idleSeconds: countOf(usage, "idle-seconds", values["idle-seconds"]),
  scratch,
  binaries: binaries(scratch, values.binary ?? null),
  say,
};
for (const name of names) {
  const bench = benches[name];
  if (!bench) continue;
  const load = loadBefore();
  const section = await bench.run(context);
  console.log(`\n${name}\n${plainTable(section.rows)}\n`);
  if (!values["no-write"]) {
    const path = join(import.meta.dir, "../docs/performance.md");
    writeSection(path, name, chapter(bench, section, load));
  }
}
process.exit(0);

function chapter(bench: Bench, section: Section, load: string): string {
  const day = new Date().toISOString().slice(0, 10);
  const measured = `Measured on ${day} (${machine()}; load average before: ${load}), ${context.rounds} rounds; medians, and in brackets the lowest and highest ratio of a round.`;
  return [bench.about, markdownTable(section.rows), ...section.notes, measured].join("\n\n");
}
