import { expect, test } from "bun:test";
import { scriptOf } from "../../../src/commands/doctor/agent-script.ts";

test.each<[command: string[], script: string | null]>([
  [["/bin/sh", "/srv/agent.sh"], "/srv/agent.sh"],
  [["bash", "-eu", "/srv/agent.sh", "/data"], "/srv/agent.sh"],
  [["bash", "-euo", "pipefail", "/srv/agent.sh"], "/srv/agent.sh"],
  [["/usr/bin/python3.12", "-u", "/srv/agent.py"], "/srv/agent.py"],
  [["node", "--enable-source-maps", "/srv/agent.mjs"], "/srv/agent.mjs"],
  [["node", "-r", "/srv/first.cjs", "/srv/agent.mjs"], "/srv/agent.mjs"],
  [["bun", "run", "/srv/agent.ts"], "/srv/agent.ts"],
  [["deno", "run", "--allow-net", "/srv/agent.ts"], "/srv/agent.ts"],
  [["/usr/bin/env", "python3", "/srv/agent.py"], "/srv/agent.py"],
  [["/usr/bin/env", "A=b", "sh", "/srv/agent.sh"], "/srv/agent.sh"],
  // Found from a folder that this one need not be.
  [["sh", "agent.sh"], null],
  [["sh", "agent.sh", "/data"], null],
  // Text of a program, and names of modules.
  [["sh", "-c", "/srv/agent.sh --fast"], null],
  [["sh", "-euc", "/srv/agent.sh"], null],
  [["node", "--eval", "/x/.test(1)"], null],
  [["python3", "-m", "agent", "/data"], null],
  // What a program of one's own does with a path is its own matter.
  [["/srv/agent", "/data/not-yet"], null],
  [["jq", "/srv/agent.jq"], null],
  [["sh"], null],
  [["env"], null],
])("%p", (command, script) => {
  expect(scriptOf(command)).toBe(script);
});
