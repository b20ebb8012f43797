import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { content } from "../../src/simulator/graph/content.ts";
import { fetchOverUnixSocket } from "../../src/runtime/unix-fetch.ts";
import { opusFile } from "../speech/opus.ts";
import { command } from "./support/command.ts";
import { account } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** Every secret that a config and an environment can hold, each with a name to find it by. */
const names = [
  ...["access-token", "app-secret", "verify-token", "api-token", "webhook-secret", "api-key"],
  ...[
    "bearer",
    "metrics",
    "ngrok",
    "pinggy",
    "cloudflare",
    "groq",
    "openai",
    "deepgram",
    "whisper",
  ],
  ...["elevenlabs", "google", "wati-proxy", "all-proxy", "session-key"],
] as const;
type Name = (typeof names)[number];
const secret = (name: Name) => `s3cr3t/${name}+0123456789`;

/** All spellings in which one could get out: whole, half, in a URL, in base64 at any alignment, in hex. */
function spellings(name: Name): string[] {
  const bytes = Buffer.from(secret(name));
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, 20),
  );
  const half = `s3cr3t/${name}`;
  return [half, encodeURIComponent(half), bytes.toString("hex").slice(0, 20), ...base64];
}

function leaked(text: string): string[] {
  return names.filter((name) => spellings(name).some((spelling) => text.includes(spelling)));
}

/** Answers everything with an error that repeats whatever it was told, as chatty servers do. */
function echo(): { url: string; asked: string[] } {
  const asked: string[] = [];
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const told = `${request.method} ${request.url} ${JSON.stringify(Object.fromEntries(request.headers))} ${(await request.text()).slice(0, 2000)}`;
      asked.push(told);
      return Response.json(
        { error: { message: told, type: told, code: 100, error_data: { details: told } }, told },
        { status: 400, statusText: "Bad", headers: { "x-told": "authorization" } },
      );
    },
  });
  undo.push(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, asked };
}

const withPassword = (url: string, name: Name) =>
  url.replace("://", `://ada:${encodeURIComponent(secret(name))}@`);

test("no secret appears in anything that Revka says, whoever repeats it", async () => {
  const graph = await startGraph({
    account: { accessToken: secret("access-token"), appSecret: secret("app-secret") },
  });
  undo.push(() => graph.stop());
  const chatty = echo();
  /** Passes on to the simulator until it is told to turn chatty too. */
  let turned = false;
  const front = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request) {
      const { pathname, search, origin } = new URL(request.url);
      const to = `${turned ? chatty.url : graph.url}${pathname}${search}`;
      const answer = await fetch(to, request);
      if (!answer.headers.get("content-type")?.includes("json")) return answer;
      // Files are fetched from the port of the Graph API alone.
      const body = (await answer.text()).replaceAll(graph.url, origin);
      return new Response(body, { status: answer.status, headers: answer.headers });
    },
  });
  undo.push(() => front.stop(true));

  const folder = mkdtempSync(join(tmpdir(), "revka-redaction-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, "bin"));
  writeFileSync(
    join(folder, "bin/ngrok"),
    `#!/bin/sh\necho "t=1 lvl=eror msg=\\"bad token $NGROK_AUTHTOKEN\\""; env >&2; sleep 1; exit 1\n`,
  );
  chmodSync(join(folder, "bin/ngrok"), 0o755);
  const home = join(folder, "home");
  const config = {
    api_key: secret("api-key"),
    agent: { kind: "webhook", url: `${chatty.url}/agent`, bearer_token: secret("bearer") },
    gateway: { metrics_token: secret("metrics") },
    channels_config: {
      message_timeout_secs: 30,
      whatsapp: {
        access_token: secret("access-token"),
        phone_number_id: account.phoneNumberId,
        verify_token: secret("verify-token"),
        app_secret: secret("app-secret"),
        allowed_numbers: ["*"],
        api_base_url: `http://127.0.0.1:${front.port}`,
        graph_api_version: "v26.0",
      },
      wati: {
        api_token: secret("api-token"),
        webhook_secret: secret("webhook-secret"),
        allowed_numbers: ["*"],
        api_url: chatty.url,
        // Nobody listens there.
        proxy_url: withPassword("http://127.0.0.1:9", "wati-proxy"),
      },
    },
    proxy: {
      enabled: true,
      all_proxy: withPassword(chatty.url, "all-proxy"),
      services: ["tts.*", "transcription.*"],
      scope: "services",
    },
    transcription: {
      enabled: true,
      default_provider: "local_whisper",
      api_key: secret("groq"),
      openai: { api_key: secret("openai") },
      deepgram: { api_key: secret("deepgram") },
      google: { api_key: secret("google") },
      local_whisper: { url: `${chatty.url}/asr`, bearer_token: secret("whisper") },
    },
    tts: {
      enabled: true,
      default_provider: "openai",
      openai: { api_key: secret("openai") },
      elevenlabs: { api_key: secret("elevenlabs") },
    },
    tunnel: {
      provider: "ngrok",
      ngrok: { auth_token: secret("ngrok") },
      pinggy: { token: secret("pinggy") },
      cloudflare: { token: secret("cloudflare") },
    },
  };
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"]}`,
    REVKA_SESSION_KEY: secret("session-key"),
    REVKA_LOG: "trace",
  };
  const daemon = await startDaemon({ home, config, env });
  undo.push(() => daemon[Symbol.asyncDispose]());
  graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
  const said: string[] = [];
  const answer = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${daemon.url}${path}`, init);
    const body = await response.text();
    // What a route gives back because it was handed in is no leak.
    said.push(`${response.status} ${JSON.stringify([...response.headers])} ${body}`);
    return response.status;
  };
  const run = async (...words: string[]) => {
    const { out, err } = await command(words, { ...env, REVKA_HOME: home });
    said.push(out, err);
    return out;
  };

  // Webhooks with every wrong credential.
  const token = encodeURIComponent(secret("verify-token"));
  expect(await answer(`/whatsapp?hub.mode=x&hub.verify_token=${token}`)).toBe(403);
  expect(await answer("/whatsapp", { method: "POST", body: secret("app-secret") })).toBe(401);
  expect(await answer("/wati?secret=wrong", { method: "POST", body: "{}" })).toBe(401);
  const watiSecret = encodeURIComponent(secret("webhook-secret"));
  expect(await answer(`/wati?secret=${watiSecret}`, { method: "POST", body: "{" })).toBe(400);
  expect(await answer(`/${encodeURIComponent(secret("metrics"))}`)).toBe(404);
  const wati = JSON.stringify({
    id: "1",
    whatsappMessageId: "wamid.wati",
    waId: "15550003333",
    text: "hello",
    type: "text",
    eventType: "message",
    owner: false,
    timestamp: String(Math.floor(Date.now() / 1000)),
  });
  expect(await answer(`/wati?secret=${watiSecret}`, { method: "POST", body: wati })).toBe(200);

  // A voice note: transcription and agent fail, each repeating what it was told.
  const note = opusFile(2);
  graph.write({
    from: { phone: "+15550001111" },
    content: content.voice(graph.file(note, "audio/ogg; codecs=opus")),
  });
  await daemon.waitForLog(/tunnel is down/, 10_000);
  await daemon.waitForLog(/agent|turn/, 10_000);
  turned = true;
  await run("send", "--wait", "2", "--channel", "whatsapp", "--to", "+15550001111", "hello");
  await run("send", "--wait", "1", "--channel", "wati", "--to", "+15550003333", "hello");

  expect(await run("status")).toContain("whatsapp");
  await run("status", "--json");
  expect(await run("doctor", "--log-level", "trace")).toContain("ERROR");
  await run("doctor", "--json");
  await run("redeliver", secret("access-token"));
  await answer("/health");
  await answer("/metrics");
  await answer("/metrics", { headers: { authorization: `Bearer ${secret("metrics")}` } });
  for (const [path, body] of [
    ["/send", "{"],
    ["/send", '{"to":5}'],
    ["/nowhere", "{}"],
  ] as const) {
    const { text } = await fetchOverUnixSocket(join(home, "revka.sock"), path, {
      method: "POST",
      body,
    });
    said.push(text);
  }
  // The runtime's own last words.
  daemon.kill("SIGABRT");
  await daemon.exited;

  // The chatty server was told secrets, so the errors held them.
  const told = leaked(chatty.asked.join("\n"));
  for (const name of ["access-token", "bearer", "whisper"]) expect(told).toContain(name);
  const log = daemon.lines.join("\n");
  expect(log).toContain('"level":"debug"');
  expect(log).toContain("[redacted]");
  // `redeliver` repeats the id that it was given; that is the person's own word.
  const words = said.filter((text) => !text.includes("there is no failed delivery"));
  expect(leaked(words.join("\n"))).toEqual([]);
  expect(leaked(log)).toEqual([]);
}, 30_000);

test("a start that fails says why without a secret", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-redaction-"));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  const key = secret("access-token");
  for (const [toml, code] of [
    [`[channels_config.whatsapp]\naccess_token = "${key}\n`, 78],
    [`[channels_config.whatsapp]\naccess_token = ["${key}"]\n`, 78],
    [`[agent]\nkind = "${key}"\n`, 78],
    [`[agent]\nkind = "webhook"\nurl = "http://ada:${key}@[bad"\n`, 78],
    [`[agent]\nkind = "echo"\n[proxy]\nenabled = true\nall_proxy = "ftp://ada:${key}@h"\n`, null],
    [
      `[agent]\nkind = "echo"\n[tunnel]\nprovider = "custom"\n[tunnel.custom]\nurl_pattern = "${key}"\n`,
      null,
    ],
  ] as const) {
    writeFileSync(join(home, "config.toml"), toml, { mode: 0o600 });
    for (const words of [["daemon", "--port", "0"], ["doctor"], ["doctor", "--json"]]) {
      if (code === null && words[0] === "daemon") continue;
      const {
        code: ended,
        out,
        err,
      } = await command(words, {
        REVKA_HOME: home,
        REVKA_LOG: "trace",
      });
      if (code !== null) expect(ended).toBe(code);
      expect(leaked(out + err)).toEqual([]);
    }
  }
});

test("an error that nobody caught ends the daemon through the log, redacted", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-redaction-"));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  const key = secret("access-token");
  writeFileSync(
    join(home, "config.toml"),
    `[agent]\nkind = "echo"\n[channels_config.whatsapp]\naccess_token = "${key}"\nphone_number_id = "1"\nverify_token = "verify"\napi_base_url = "http://127.0.0.1:9"\n`,
    { mode: 0o600 },
  );
  const bomb = join(home, "bomb.ts");
  // It goes off once somebody would hear it.
  writeFileSync(
    bomb,
    `const timer = setInterval(() => {
      if (process.listenerCount("unhandledRejection") === 0) return;
      clearInterval(timer);
      Promise.reject(new Error("lost ${key}"));
    }, 10);\n`,
  );
  const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
  const child = Bun.spawn([process.execPath, "--preload", bomb, main, "daemon", "--port", "0"], {
    env: { PATH: process.env["PATH"], REVKA_HOME: home },
    stderr: "pipe",
    stdout: "pipe",
  });
  const [code, err, out] = await Promise.all([
    child.exited,
    new Response(child.stderr).text(),
    new Response(child.stdout).text(),
  ]);
  expect(code).toBe(1);
  expect(err).toContain("crashed");
  expect(err).toContain("lost [redacted]");
  expect(leaked(err + out)).toEqual([]);
});
