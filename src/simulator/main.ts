import { parseArgs } from "node:util";
import * as v from "valibot";
import { shapeProblems } from "../net/shape-problem.ts";
import { startGraphSimulator } from "./graph.ts";
import { settingsSchema } from "./graph/control-schema.ts";

/**
 * The Graph simulator as a process of its own, so that a daemon can be killed while it lives on:
 * `bun src/simulator/main.ts --port 0 [--seed N] [--settings JSON]`. Prints one line of JSON with its URL and its
 * account; the rest goes over `/_sim/`. Ends on SIGTERM, SIGINT, or when stdin closes with `--until-eof`.
 */
const { values } = parseArgs({
  options: {
    port: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    settings: { type: "string", default: "{}" },
    "until-eof": { type: "boolean", default: false },
  },
});
const settings = v.safeParse(settingsSchema, JSON.parse(values.settings));
if (!settings.success) throw new Error(`--settings: ${shapeProblems(settings.issues)}`);
const simulator = await startGraphSimulator({
  port: Number(values.port),
  seed: Number(values.seed),
  ...settings.output,
});
process.stdout.write(
  `${JSON.stringify({ url: simulator.url, pid: process.pid, account: simulator.account })}\n`,
);

async function end(): Promise<void> {
  await simulator.stop();
  process.exit(0);
}
process.on("SIGTERM", () => void end());
process.on("SIGINT", () => void end());
if (values["until-eof"]) {
  process.stdin.on("end", () => void end());
  process.stdin.resume();
}
