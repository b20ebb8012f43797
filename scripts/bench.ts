import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { binaries } from "./bench/binaries.ts";
import { writeSection } from "./bench/document.ts";
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

/**
 * `bun run bench [NAME…]`: measures Revka against baselines in the same run, prints a table for each bench and writes
 * it to docs/performance.md.
 */

const benches: Record<string, Bench> = { webhook, turn, start, memory, size, growth, web };
const usage = `bun run bench [NAME…] [--rounds N] [--seconds N] [--idle-seconds N] [--binary FILE] [--no-write]
Names: ${Object.keys(benches).join(", ")}; all when none is given.
--binary FILE    measure this executable of Revka instead of building one
--no-write       leave docs/performance.md as it is`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    "idle-seconds": { type: "string", default: "60" },
    binary: { type: "string" },
    "no-write": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.filter((name) => !Object.hasOwn(benches, name));
if (values.help || unknown.length > 0) {
  console.log(unknown.length > 0 ? `bench: there is no ${unknown.join(", ")}\n${usage}` : usage);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const say = (text: string) => console.error(text);
if (!hasWrk()) {
  say("wrk is missing: a generator of our own takes its place, and its figures flatter Revka.");
}
const scratch = mkdtempSync(join(tmpdir(), "revka-bench-"));
process.once("exit", () => rmSync(scratch, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const context = {
  rounds: Number(values.rounds),
  seconds: Number(values.seconds),
  idleSeconds: Number(values["idle-seconds"]),
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
