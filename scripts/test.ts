import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * The whole test: dependencies as locked, types, format, every test. Runs on a fresh clone, so it imports nothing
 * that an install would bring. Words after it are handed to the runner (`bun run test test/store`). The last line is
 * `N passed, N failed`; a type error, a format error or a runner that breaks counts as one failure each.
 */

const root = join(import.meta.dir, "..");
const bun = process.execPath;

/** Runs a step with its output shown; answers whether it succeeded, and the last part of its stderr. */
function step(args: string[]): Promise<{ fine: boolean; tail: string }> {
  console.log(`\n$ bun ${args.filter((arg) => !arg.startsWith("--reporter")).join(" ")}`);
  return new Promise((resolve) => {
    const child = spawn(bun, args, { cwd: root, stdio: ["ignore", "inherit", "pipe"] });
    let tail = "";
    child.stderr.on("data", (part: Buffer) => {
      process.stderr.write(part);
      tail = (tail + part.toString("utf8")).slice(-4000);
    });
    child.on("error", () => resolve({ fine: false, tail }));
    child.on("close", (code) => resolve({ fine: code === 0, tail }));
  });
}

/** Counts of the runner's report; a file that does not load is in the summary on stderr only. */
function count(
  report: string,
  summary: string,
): { passed: number; failed: number; skipped: number } {
  const head = /<testsuites [^>]*>/.exec(report)?.[0] ?? "";
  const attribute = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const skipped = attribute("skipped");
  const reported = attribute("failures") + attribute("errors");
  const failed = Math.max(reported, Number(/^\s*(\d+) fail$/m.exec(summary)?.[1] ?? 0));
  return { passed: Math.max(0, attribute("tests") - reported - skipped), failed, skipped };
}

const started = performance.now();
const failures: string[] = [];
let counts = { passed: 0, failed: 0, skipped: 0 };

const install = await step(["install", "--frozen-lockfile"]);
if (install.fine) {
  for (const args of [
    ["check", "--no-script"],
    ["fmt", "--no-script", "--check"],
  ]) {
    if (!(await step(args)).fine) failures.push(`bun ${args[0]}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "revka-report-"));
  const report = join(folder, "report.xml");
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  // Most tests take milliseconds; a busy machine must not fail one that waits for a process.
  const patience = "--timeout=30000";
  const tests = await step(["test", patience, ...reporter, ...process.argv.slice(2)]);
  if (existsSync(report)) counts = count(readFileSync(report, "utf8"), tests.tail);
  rmSync(folder, { recursive: true, force: true });
  if (!tests.fine && counts.failed === 0) failures.push("bun test");
  if (tests.fine && counts.passed === 0) failures.push("bun test (no test ran)");
} else {
  failures.push("bun install");
}

console.log("");
for (const failure of failures) console.log(`failed: ${failure}`);
if (counts.skipped > 0) console.log(`${counts.skipped} skipped`);
console.log(`${((performance.now() - started) / 1000).toFixed(1)} s`);
const failed = counts.failed + failures.length;
console.log(`${counts.passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
