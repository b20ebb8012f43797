import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { stringify } from "smol-toml";
import { controlClient } from "../../src/control/client.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { makeCertificate } from "../gateway/certificates.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";
import { statusLine } from "./support/raw.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const ada = { phone: "+15550001111", name: "Ada" };

test("every route lies under the prefix, and every answer is safe in a browser", async () => {
  await using setup = await startCloud(
    { root: { gateway: { path_prefix: "/bots/one" } } },
    { daemon: { pathPrefix: "/bots/one" } },
  );
  const { graph, daemon } = setup;
  graph.write({ from: ada, content: content.text("under a prefix") });
  expect((await graph.waitForSends({ to: ada.phone }))[0]?.text).toBe("under a prefix");
  const origin = new URL(daemon.url).origin;
  for (const [path, method, status] of [
    ["/bots/one/health", "GET", 200],
    ["/bots/one/health", "HEAD", 200],
    ["/bots/one/health", "POST", 405],
    ["/bots/one/metrics", "DELETE", 405],
    ["/health", "GET", 404],
    ["/whatsapp", "POST", 404],
    ["/bots/one/../../etc/passwd", "GET", 404],
    ["/bots/one/whatsapp", "POST", 401],
  ] as const) {
    const answer = await fetch(`${origin}${path}`, {
      method,
      ...(method === "POST" ? { body: "{}" } : {}),
    });
    expect([path, method, answer.status]).toEqual([path, method, status]);
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
    expect(answer.headers.get("content-security-policy")).toBe("default-src 'none'");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(answer.headers.get("server")).toBeNull();
  }
});

test("headers without measure are refused, and nobody else notices", async () => {
  await using setup = await startCloud();
  const { url } = setup.daemon;
  const get = (headers: string) =>
    statusLine(url, `GET /health HTTP/1.1\r\nHost: localhost\r\n${headers}\r\n`);
  expect(await get("")).toBe("HTTP/1.1 200 OK");
  expect(await get(`A: ${"a".repeat(20_000)}\r\n`)).toMatch(/^HTTP\/1.1 431/);
  expect(await get(`A: ${"a".repeat(3_000_000)}\r\n`)).toMatch(/^HTTP\/1.1 431|^$/);
  expect(await get(Array.from({ length: 5_000 }, (_, i) => `a${i}: b\r\n`).join(""))).toMatch(
    /^HTTP\/1.1 431/,
  );
  expect(await statusLine(url, `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).toMatch(
    /^HTTP\/1.1 4\d\d/,
  );
  const smuggled = "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
  expect(await statusLine(url, `POST /whatsapp HTTP/1.1\r\nHost: x\r\n${smuggled}\r\n`)).toMatch(
    /^HTTP\/1.1 400/,
  );
  expect(await statusLine(url, "\0\x01\x02 nonsense\r\n\r\n")).toMatch(/^HTTP\/1.1 400|^$/);
  expect(await get("")).toBe("HTTP/1.1 200 OK");
});

test("health says so while the store cannot be written, and again when it can", async () => {
  await using setup = await startCloud();
  const { daemon } = setup;
  const health = async () => {
    const answer = await fetch(`${daemon.url}/health`);
    return { status: answer.status, body: await answer.text() };
  };
  expect(await health()).toMatchObject({ status: 200 });
  const other = new DatabaseSync(join(daemon.home, "revka.db"));
  other.exec("BEGIN IMMEDIATE");
  const locked = await health();
  expect(locked.status).toBe(503);
  expect(JSON.parse(locked.body).reasons.join()).toMatch(/lock/);
  other.exec("ROLLBACK");
  other.close();
  expect(await health()).toMatchObject({ status: 200 });
});

describe("metrics", () => {
  test("hold every figure, without a number or a text of anybody", async () => {
    await using setup = await startCloud({ whatsapp: { allowed_numbers: [ada.phone] } });
    const { graph, daemon } = setup;
    graph.write({ from: ada, content: content.text("a private word") });
    graph.write({ from: { phone: "+15550002222" }, content: content.text("a stranger") });
    await graph.waitForSends({ to: ada.phone });
    await graph.idle();
    const text = await (await fetch(`${daemon.url}/metrics`)).text();
    for (const line of [
      'revka_messages_in_total{channel="whatsapp",type="text"} 1',
      'revka_refusals_total{channel="whatsapp",reason="not_allowed"} 1',
      'revka_webhook_requests_total{channel="whatsapp",status="200"}',
      'revka_turns_total{outcome="answered"} 1',
      "revka_turn_seconds_count 1",
      'revka_turn_seconds_bucket{le="1"} 1',
      'revka_deliveries_total{channel="whatsapp",outcome="sent"} 1',
      "revka_inbox_pending 0",
      "revka_inbox_oldest_seconds 0",
      "revka_outbox_pending 0",
      "revka_outbox_oldest_seconds 0",
      "revka_outbox_failed 0",
      "revka_turns_running 0",
      'revka_channel_ready{channel="whatsapp",backend="cloud"} 1',
      'revka_channel_state{channel="whatsapp",backend="cloud",state="ready"} 1',
      "revka_event_loop_lag_seconds ",
      "revka_resident_memory_bytes ",
    ]) {
      expect(text).toContain(line);
    }
    expect(text).not.toMatch(/1555000\d|private|stranger/);
  });

  test("are for this machine and the token, not for what a tunnel brings in", async () => {
    const token = "metrics-token-1";
    await using setup = await startCloud({ root: { gateway: { metrics_token: token } } });
    const ask = async (headers: Record<string, string>) =>
      (await fetch(`${setup.daemon.url}/metrics`, { headers })).status;
    expect(await ask({})).toBe(200);
    expect(await ask({ Host: "bot.example.com" })).toBe(401);
    expect(await ask({ "X-Forwarded-For": "203.0.113.9" })).toBe(401);
    expect(await ask({ Forwarded: "for=203.0.113.9" })).toBe(401);
    expect(await ask({ Host: "bot.example.com", Authorization: "Bearer wrong" })).toBe(401);
    expect(await ask({ Host: "bot.example.com", Authorization: `Bearer ${token}` })).toBe(200);
  });
});

test("the whole daemon behind TLS", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-test-"));
  makeCertificate(home, "bot");
  mkdirSync(join(home, "home"), { mode: 0o700 });
  const tls = { enabled: true, cert_path: join(home, "bot.crt"), key_path: join(home, "bot.key") };
  const config = join(home, "config.toml");
  // Nothing is sent, so nobody has to listen there.
  const whole = cloudConfig("http://127.0.0.1:9", { root: { gateway: { tls } } });
  writeFileSync(config, stringify(whole), { mode: 0o600 });
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const child = spawn(process.execPath, [main, "daemon", "--config", config, "--port", "0"], {
    env: { PATH: process.env["PATH"], REVKA_HOME: join(home, "home") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = new Promise((resolve) => child.once("exit", resolve));
  try {
    await new Promise<void>((resolve) => {
      child.stderr.on("data", (part) => String(part).includes("revka is running") && resolve());
    });
    const { gateway } = await controlClient(join(home, "home/revka.sock")).status();
    expect(gateway.address).toStartWith("https://127.0.0.1:");
    const answer = await fetch(`${gateway.address}/health`, { tls: { rejectUnauthorized: false } });
    expect(answer.status).toBe(200);
  } finally {
    child.kill("SIGTERM");
    await exited;
    rmSync(home, { recursive: true, force: true });
  }
});

test("TLS files that cannot be read are problems of the config, each with its line", () => {
  const home = mkdtempSync(join(tmpdir(), "revka-test-"));
  const config = join(home, "config.toml");
  const tls = { enabled: true, cert_path: join(home, "none.crt"), key_path: home };
  const whole = cloudConfig("http://127.0.0.1:9", { root: { gateway: { tls } } });
  writeFileSync(config, stringify(whole), { mode: 0o600 });
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const run = spawnSync(process.execPath, [main, "daemon", "--config", config, "--port", "0"], {
    env: { PATH: process.env["PATH"], REVKA_HOME: join(home, "home") },
    encoding: "utf8",
  });
  rmSync(home, { recursive: true, force: true });
  expect(run.status).toBe(78);
  const lines = run.stderr.trim().split("\n");
  expect(lines).toEqual([
    expect.stringMatching(/config\.toml:\d+: gateway\.tls\.cert_path: .*none\.crt is not there/),
    expect.stringMatching(/config\.toml:\d+: gateway\.tls\.key_path: .* is a folder: name the PEM/),
  ]);
});
