import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { testCertificate } from "../net/certificate.ts";
import { command } from "./support/command.ts";
import { cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";
import { until } from "../support/until.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const linux = process.platform === "linux" ? test : test.skip;
const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A daemon with a stand-in for a tunnel tool, whose public address is the gateway's own. */
async function start() {
  const graph = await startGraph();
  undo.push(() => graph.stop());
  const folder = mkdtempSync(join(tmpdir(), "revka-tunnel-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "bin"));
  const tool = join(folder, "bin/my-tunnel");
  writeFileSync(
    tool,
    `#!/bin/sh
sleep 600 &
echo $! > "${folder}/grandchild"
echo $$ > "${folder}/tool"
echo "forwarding http://127.0.0.1:$1 to you"
wait
`,
  );
  chmodSync(tool, 0o755);
  const config = cloudConfig(graph.url, {
    root: { tunnel: { provider: "custom", custom: { start_command: "my-tunnel {port}" } } },
  });
  const home = join(folder, "home");
  const PATH = `${join(folder, "bin")}:${process.env["PATH"]}`;
  const daemon = await startDaemon({ home, config, env: { PATH } });
  undo.push(() => daemon[Symbol.asyncDispose]());
  await daemon.waitForLog("the tunnel is up");
  const pidOf = (name: string) => Number(readFileSync(join(folder, name), "utf8"));
  return { daemon, home, pids: () => [pidOf("tool"), pidOf("grandchild")] };
}

function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

linux(
  "the public address is in the log and the status, and the doctor goes through it",
  async () => {
    const { daemon, home } = await start();
    expect(daemon.lines.find((line) => line.includes("the tunnel is up"))).toContain(daemon.url);
    const env = { REVKA_HOME: home };
    expect((await daemon.status()).gateway.public_url).toBe(daemon.url);
    expect((await command(["status"], env)).out).toContain(`Public    ${daemon.url}`);
    const doctor = await command(["doctor"], env);
    expect(doctor.out.replace(/\s+/g, " ")).toContain(
      `${daemon.url}/whatsapp answers as Meta expects`,
    );
    expect(doctor.code).toBe(0);
  },
);

linux("to a gateway that speaks TLS itself, the tool is told to speak it too", async () => {
  const folder = mkdtempSync(join(tmpdir(), "revka-tunnel-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const at = (name: string) => join(folder, name);
  writeFileSync(at("bot.crt"), testCertificate.cert);
  writeFileSync(at("bot.key"), testCertificate.key, { mode: 0o600 });
  mkdirSync(at("bin"));
  const script = `#!/bin/sh\necho "$@" > "${at("words")}"\necho https://a.trycloudflare.com\nexec sleep 600\n`;
  writeFileSync(at("bin/cloudflared"), script, { mode: 0o755 });
  const tls = { enabled: true, cert_path: at("bot.crt"), key_path: at("bot.key") };
  // Nothing is sent, so nobody has to listen there.
  const config = cloudConfig("http://127.0.0.1:9", {
    root: { gateway: { tls }, tunnel: { provider: "cloudflare" } },
  });
  writeFileSync(at("config.toml"), stringify(config), { mode: 0o600 });
  const words = ["daemon", "--config", at("config.toml"), "--port", "0"];
  const daemon = spawn(process.execPath, [main, ...words], {
    env: { PATH: `${at("bin")}:${process.env["PATH"]}`, REVKA_HOME: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise((resolve) => daemon.once("exit", resolve));
  undo.push(async () => {
    daemon.kill("SIGTERM");
    await exited;
  });
  await new Promise<void>((resolve) => {
    daemon.stderr.on("data", (part) => String(part).includes("the tunnel is up") && resolve());
  });
  expect(readFileSync(at("words"), "utf8")).toMatch(/--url https:.*:[0-9]+ --no-tls-verify/);
});

linux("a tool that dies is started again, and the alarm goes", async () => {
  const { daemon, pids } = await start();
  const [first = 0] = pids();
  process.kill(first, "SIGKILL");
  await daemon.waitForLog("the tunnel is down");
  expect((await daemon.status()).gateway.public_url).toBeNull();
  expect((await daemon.status()).alarms).toMatchObject([{ source: "tunnel", code: "down" }]);
  const ups = () => daemon.lines.filter((line) => line.includes("the tunnel is up")).length;
  await until("the tunnel is up again", () => ups() === 2);
  expect((await daemon.status()).alarms).toEqual([]);
  expect(pids()[0]).not.toBe(first);
});

linux.each(["SIGTERM", "SIGKILL"] as const)(
  "nothing of it outlives the daemon: %s",
  async (signal) => {
    const { daemon, pids } = await start();
    const started = pids();
    expect(started.map(alive)).toEqual([true, true]);
    daemon.kill(signal);
    await daemon.exited;
    await until("the tool is gone, and its child", () => !started.some(alive));
  },
);
