import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { controlClient } from "../../src/control/client.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const ada = { phone: "+15550001111", name: "Ada" };

/** The levels of all that a daemon logs for one message. */
async function levels(env: Record<string, string>, extraArgs: string[] = []) {
  await using setup = await startCloud({}, { daemon: { env, extraArgs } });
  const { graph, daemon } = setup;
  graph.write({ from: ada, content: content.text("hello") });
  await graph.waitForSends({ to: ada.phone });
  await graph.idle();
  await daemon.stop();
  const lines = daemon.lines.map((line) => JSON.parse(line) as { level: string });
  return new Set(lines.map(({ level }) => level));
}

describe("levels", () => {
  test("info unless told otherwise; REVKA_LOG says it, and --log-level wins", async () => {
    const [usual, quiet, flag] = await Promise.all([
      levels({}),
      levels({ REVKA_LOG: "warn" }),
      levels({ REVKA_LOG: "trace" }, ["--log-level", "error"]),
    ]);
    expect([...usual]).toEqual(["info"]);
    expect([...quiet]).toEqual([]);
    expect([...flag]).toEqual([]);
  });
});

test("a config that others can read is warned of", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-log-"));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  // Written into, it keeps the mode that it has.
  writeFileSync(join(home, "config.toml"), "", { mode: 0o644 });
  await using setup = await startCloud({}, { daemon: { home } });
  const line = await setup.daemon.waitForLog("others can read it");
  expect(JSON.parse(line)).toMatchObject({
    level: "warn",
    msg: expect.stringContaining("chmod 600"),
  });
});

const script = process.platform === "linux" ? findExecutable("script") : null;

(script ? test : test.skip)("a person's terminal gets readable lines in colour", async () => {
  const home = realpathSync(mkdtempSync(join(tmpdir(), "revka-log-")));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  writeFileSync(join(home, "config.toml"), stringify(cloudConfig("http://127.0.0.1:9")), {
    mode: 0o600,
  });
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const line = `cd '${home}' && exec '${process.execPath}' '${main}' daemon --port 0 --config config.toml`;
  const shown = async (env: Record<string, string>) => {
    // `script` gives what it starts a terminal of its own.
    const child = spawn(script ?? "", ["-qec", line, "/dev/null"], {
      env: { PATH: process.env["PATH"], REVKA_HOME: home, ...env },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    const up = new Promise<void>((resolve) =>
      child.stdout.on("data", (part) => {
        text += String(part);
        if (text.includes("revka is running")) resolve();
      }),
    );
    const gone = new Promise((resolve) => child.once("close", resolve));
    await Promise.race([up, gone]);
    const { daemon, config_path } = await controlClient(join(home, "revka.sock")).status();
    expect(config_path).toBe(join(home, "config.toml"));
    if (daemon.pid !== null) process.kill(daemon.pid, "SIGTERM");
    await gone;
    return text;
  };
  expect(await shown({})).toMatch(
    /\u001b\[2m\d\d:\d\d:\d\d\u001b\[0m \u001b\[32minfo \u001b\[0m revka is running/,
  );
  expect(await shown({ NO_COLOR: "1" })).toMatch(
    /^\d\d:\d\d:\d\d info {2}revka is running {2}\w+=/m,
  );
  expect(await shown({ REVKA_LOG_FORMAT: "json" })).toMatch(/^\{"level":"info",/m);
  expect(await shown({ REVKA_LOG_FORMAT: "xml" })).toContain(
    'REVKA_LOG_FORMAT: expected "text" or "json"; text it is',
  );
});
