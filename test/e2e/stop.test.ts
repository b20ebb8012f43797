import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { controlClient } from "../../src/control/client.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { temporaryFolder } from "../support/store.ts";
import { startAgent } from "./support/agent.ts";
import { cloudConfig, startCloud, textsTo } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { impatient, refusedOnce } from "./support/refused.ts";
import { until } from "../support/until.ts";

setDefaultTimeout(40_000);

const sockets: Socket[] = [];
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

test("everything that can hang hangs, and a stop still ends well within ten seconds", async () => {
  const agent = await startAgent(() => new Promise(() => {}));
  // A tunnel tool that does not let itself be told to end.
  const folder = temporaryFolder();
  const tool = join(folder.path, "stubborn");
  const script = "trap '' TERM; echo https://gateway.example.test; while :; do sleep 1; done";
  writeFileSync(tool, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  await using setup = await startCloud({
    agent: { kind: "webhook", url: agent.url },
    root: { tunnel: { provider: "custom", custom: { start_command: tool } } },
  });
  const { graph, daemon } = setup;
  await daemon.waitForLog("the tunnel is up");
  graph.faults.add({ effect: { kind: "hang" }, on: "any" });
  graph.write({ from: { phone: "+15550001111", name: "Ada" }, content: content.text("hello") });
  await agent.turns.waitFor();
  const control = controlClient(join(daemon.home, "revka.sock"));
  const waits = control
    .send({ to: "+15550002222", text: "hello", wait_ms: 60_000 })
    .catch(() => {});
  const { hostname, port } = new URL(daemon.url);
  for (const request of [
    "POST /whatsapp HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf",
    "GET /health HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /hea",
  ]) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    sockets.push(socket);
    await new Promise<void>((resolve) => socket.write(request, () => resolve()));
  }
  const began = performance.now();
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toMatchObject({ code: 0 });
  expect(performance.now() - began).toBeLessThan(10_000);
  await waits;
  agent.stop();
  folder.remove();
});

test("told to stop more than once, it ends as it was about to", async () => {
  const agent = await startAgent(() => new Promise(() => {}));
  await using setup = await startCloud({ agent: { kind: "webhook", url: agent.url } });
  const { graph, daemon } = setup;
  graph.write({ from: { phone: "+15550001111", name: "Ada" }, content: content.text("hello") });
  await agent.turns.waitFor();
  daemon.kill("SIGTERM");
  await daemon.waitForLog("stopping");
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toMatchObject({ code: 0 });
  agent.stop();
});

/** The state of a process as the kernel has it; null where there is none. */
function stateOf(pid: number): string | null {
  try {
    return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? null;
  } catch {
    return null;
  }
}

test.skipIf(process.platform !== "linux")(
  "an agent's program that does not let itself be told to end goes with the daemon",
  async () => {
    const folder = temporaryFolder();
    const program = join(folder.path, "stubborn");
    const told = join(folder.path, "pid");
    const script = `trap '' TERM; echo $$ > ${told}.new; mv ${told}.new ${told}; while :; do sleep 1; done`;
    writeFileSync(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await using setup = await startCloud({ agent: { kind: "command", command: [program] } });
    const { graph, daemon } = setup;
    graph.write({ from: { phone: "+15550001111", name: "Ada" }, content: content.text("hello") });
    await until("the program runs", () => existsSync(told));
    const running = Number(readFileSync(told, "utf8"));
    expect(stateOf(running)).not.toBeNull();
    daemon.kill("SIGTERM");
    expect(await daemon.exited).toMatchObject({ code: 0 });
    // A killed child of a process that ended is reaped in its own time.
    await until("the program is gone", () => [null, "Z"].includes(stateOf(running)));
    folder.remove();
  },
);

const [ada, bob] = ["15550001111", "15550002222"] as const;

test("SIGTERM during turns: 503 for what comes, exit 0 in time, and the next start answers", async () => {
  const agent = await startAgent(() => new Promise(() => {}));
  const graph = await startGraph({ webhooks: impatient });
  const folder = temporaryFolder();
  const home = folder.path;
  const first = await startDaemon({
    config: cloudConfig(graph.url, { agent: { kind: "webhook", url: agent.url } }),
    home,
  });
  graph.settings.webhooks.url = `${first.url}/whatsapp`;
  graph.write({ from: { phone: ada }, content: content.text("before the stop") });
  await agent.turns.waitFor();
  const began = performance.now();
  const ending = first.stop();
  await first.waitForLog('"stopping"');
  graph.write({ from: { phone: bob }, content: content.text("during the stop") });
  await refusedOnce(graph, first.lines);
  expect(await ending).toEqual({ code: 0, signal: null });
  expect(performance.now() - began).toBeLessThan(10_000);
  await using second = await startDaemon({ config: cloudConfig(graph.url), home });
  graph.settings.webhooks.url = `${second.url}/whatsapp`;
  await graph.waitForSends({ count: 2 });
  expect([ada, bob].flatMap((phone) => textsTo(graph, phone))).toEqual([
    "before the stop",
    "during the stop",
  ]);
  agent.stop();
  await graph.stop();
  folder.remove();
});

test("Ctrl-C is a stop like any other", async () => {
  await using setup = await startCloud({});
  const { daemon } = setup;
  daemon.kill("SIGINT");
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(daemon.lines.at(-1)).toContain('"stopped"');
});

test("a hang-up away from any terminal ends nothing, and is told", async () => {
  await using setup = await startCloud({});
  const { daemon } = setup;
  daemon.kill("SIGHUP");
  await daemon.waitForLog("SIGHUP");
  expect((await daemon.status()).daemon.pid).toBe(daemon.pid);
  daemon.kill("SIGTERM");
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
});

const terminals = process.platform === "linux" && Bun.which("script") !== null;
(terminals ? test : test.skip)("a hang-up of its terminal is a stop", () => {
  const folder = temporaryFolder();
  const file = join(folder.path, "config.toml");
  const agent = '[agent]\nkind = "echo"\n';
  const channel = '[channels_config.wati]\napi_token = "t"\napi_url = "http://127.0.0.1:9"\n';
  writeFileSync(file, agent + channel, { mode: 0o600 });
  // Hung up once it runs; its log goes past the terminal, which is then gone.
  const log = join(folder.path, "log");
  const main = join(import.meta.dir, "../../src/main.ts");
  const daemon = `${process.execPath} ${main} daemon --port 0 --config ${file} 2>${log}`;
  const hangUp = `until grep -q "is running" ${log}; do sleep 0.05; done; kill -HUP $!; wait $!`;
  const { exitCode } = Bun.spawnSync(
    ["script", "-qec", `: >${log}; ${daemon} <&1 & ${hangUp}`, "/dev/null"],
    { env: { ...process.env, REVKA_HOME: folder.path }, timeout: 20_000 },
  );
  expect(readFileSync(log, "utf8")).toContain('"signal":"SIGHUP","msg":"stopping"');
  expect(exitCode).toBe(0);
  folder.remove();
});
