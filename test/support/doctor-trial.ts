import { afterEach, beforeEach } from "bun:test";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../src/commands/doctor/probe.ts";
import { GraphSimulator } from "../../src/simulator/graph.ts";
import type { GraphAccount } from "../../src/simulator/graph/options.ts";
import { revka, temporaryHome } from "./command.ts";

/** The doctor of a home of its own; all of it new for each test. */
export interface DoctorTrial {
  home: string;
  /** What the command sees. */
  env: Record<string, string>;
  /** Done after the test, the last one first. */
  undo: (() => unknown)[];
  /** Writes the config file. */
  config(text: string): void;
  /** A stand-in for the Graph API, and a config for it with `extra` lines. */
  cloud(account?: Partial<GraphAccount>, extra?: string): Promise<GraphSimulator>;
  /** What `revka doctor --json` answers. */
  doctor(): Promise<{
    code: number;
    out: string;
    err: string;
    ok: boolean;
    findings: Finding[];
    find(group: string, name: string): Finding | undefined;
  }>;
}

/** To be called once, where a file's tests begin. */
export function doctorTrial(): DoctorTrial {
  const trial: DoctorTrial = {
    home: "",
    env: {},
    undo: [],
    config: (text) => writeFileSync(join(trial.home, "config.toml"), text, { mode: 0o600 }),
    async cloud(account = {}, extra = "") {
      const graph = new GraphSimulator({ account });
      await graph.start();
      trial.undo.push(() => graph.stop());
      trial.config(`
[agent]
kind = "echo"
[channels_config.whatsapp]
access_token = "EAAsimulated"
phone_number_id = "1060000000000001"
verify_token = "verify-s3cret"
app_secret = "simulated-app-secret"
graph_api_version = "v26.0"
api_base_url = "${graph.url}"
allowed_numbers = ["+15551234567"]
${extra}`);
      return graph;
    },
    async doctor() {
      const { code, out, err } = await revka(["doctor", "--json"], trial.env);
      const document: { ok: boolean; findings: Finding[] } = JSON.parse(out);
      const find = (group: string, name: string) =>
        document.findings.find((finding) => finding.group === group && finding.name === name);
      return { code, out, err, find, ...document };
    },
  };
  beforeEach(() => {
    trial.home = temporaryHome(trial.undo);
    chmodSync(trial.home, 0o700);
    trial.env = { REVKA_HOME: trial.home, HOME: trial.home, PATH: "/usr/bin:/bin" };
  });
  afterEach(async () => {
    for (const step of trial.undo.splice(0).toReversed()) await step();
  });
  return trial;
}
