import { afterEach, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { tunnelSchema } from "../../src/config/schema-network.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { createTunnel, type Tunnel, type TunnelOptions } from "../../src/tunnel/tunnel.ts";
import { fakeClock } from "../support/clock.ts";
import { until } from "../support/until.ts";

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** A tunnel whose tool is a shell script of that name in a PATH of its own. */
function standIn(script: string | null, options: Partial<TunnelOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "revka-tunnel-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  if (script !== null) {
    writeFileSync(join(folder, "cloudflared"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "cloudflared"), 0o755);
  }
  const clock = fakeClock();
  const tunnel = createTunnel({
    config: v.parse(tunnelSchema, { provider: "cloudflare" }),
    gateway: { host: "127.0.0.1", port: 42617, tls: false },
    env: { PATH: `${folder}:/usr/bin:/bin`, DIR: folder, REVKA_SECRET: "no", GROQ_API_KEY: "no" },
    log: silentLog,
    clock,
    ...options,
  });
  if (!tunnel) throw new Error("no tunnel");
  undo.push(() => tunnel.stop());
  return { tunnel, clock, folder };
}

function reached(tunnel: Tunnel, state: string): Promise<void> {
  return new Promise((resolve) => {
    if (tunnel.status().state === state) return resolve();
    tunnel.onChange(() => {
      if (tunnel.status().state === state) resolve();
    });
  });
}

function alive(pid: number): boolean {
  // A zombie that nobody reaps here still answers a signal.
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
}

test("reads the address from either stream, cut anywhere", async () => {
  const { tunnel } = standIn(
    'printf "INF | https://a-b.trycloud" >&2; sleep 0.05; echo "flare.com |" >&2; exec sleep 60',
  );
  expect(tunnel.status().state).toBe("stopped");
  tunnel.start();
  await reached(tunnel, "up");
  expect(tunnel.publicUrl()).toBe("https://a-b.trycloudflare.com");
  expect(tunnel.status()).toEqual({
    provider: "cloudflare",
    state: "up",
    publicUrl: "https://a-b.trycloudflare.com",
    reason: null,
  });
});

test("is started again when it dies, each time later, and the address is gone meanwhile", async () => {
  const { tunnel, clock } = standIn(
    'echo x >> "$DIR/starts"; echo "https://a.trycloudflare.com"; exit 3',
  );
  tunnel.start();
  for (const delay of [1_000, 2_000, 4_000]) {
    await reached(tunnel, "down");
    expect(tunnel.publicUrl()).toBeNull();
    expect(tunnel.status().reason).toBe("cloudflared ended (exit 3)");
    await clock.advance(delay - 1);
    expect(tunnel.status().state).toBe("down");
    await clock.advance(1);
    expect(tunnel.status().state).not.toBe("down");
  }
});

test("a tunnel that stood a minute starts anew at once", async () => {
  const { tunnel, clock, folder } = standIn(
    'echo "https://a.trycloudflare.com"; [ -e "$DIR/once" ] || { touch "$DIR/once"; exit 1; }; read x < "$DIR/fifo"; exit 1',
  );
  Bun.spawnSync(["mkfifo", join(folder, "fifo")]);
  tunnel.start();
  await reached(tunnel, "down");
  await clock.advance(1_000);
  await reached(tunnel, "up");
  await clock.advance(60_000);
  writeFileSync(join(folder, "fifo"), "end\n");
  await reached(tunnel, "down");
  await clock.advance(1_000);
  expect(tunnel.status().state).not.toBe("down");
});

test("a tool that never says its address is ended and named", async () => {
  const { tunnel, clock } = standIn('echo "no address here"; exec sleep 60');
  tunnel.start();
  await clock.advance(30_000);
  await reached(tunnel, "down");
  expect(tunnel.status().reason).toBe("cloudflared was not up after 30 s");
});

test("a tool of one's own need not say its address, unless a pattern says that it does", async () => {
  const start_command = "sleep 60";
  for (const [custom, state] of [
    [{ start_command }, "up"],
    [{ start_command, url_pattern: "https://t." }, "down"],
  ] as const) {
    const config = v.parse(tunnelSchema, { provider: "custom", custom });
    const { tunnel, clock } = standIn(null, { config });
    tunnel.start();
    await clock.advance(29_999);
    expect(tunnel.status().state).toBe("starting");
    await clock.advance(1);
    await reached(tunnel, state);
    expect(tunnel.publicUrl()).toBeNull();
  }
});

test("one that says its address late is heard all the same", async () => {
  const custom = { start_command: "cloudflared" };
  const { tunnel, clock, folder } = standIn(
    'while ! [ -e "$DIR/go" ]; do sleep 0.02; done; echo "at https://late.example"; exec sleep 60',
    { config: v.parse(tunnelSchema, { provider: "custom", custom }) },
  );
  tunnel.start();
  await clock.advance(30_000);
  await reached(tunnel, "up");
  expect(tunnel.publicUrl()).toBeNull();
  const told = new Promise<void>((resolve) => tunnel.onChange(() => resolve()));
  writeFileSync(join(folder, "go"), "");
  await told;
  expect(tunnel.status()).toMatchObject({ state: "up", publicUrl: "https://late.example" });
});

test("a tool that is missing is named, and looked for again", async () => {
  const { tunnel, clock, folder } = standIn(null);
  tunnel.start();
  await reached(tunnel, "down");
  expect(tunnel.status().reason).toBe("cloudflared is not installed (it is not on PATH)");
  writeFileSync(
    join(folder, "cloudflared"),
    '#!/bin/sh\necho "https://a.trycloudflare.com"; exec sleep 60\n',
  );
  chmodSync(join(folder, "cloudflared"), 0o755);
  await clock.advance(1_000);
  await reached(tunnel, "up");
});

test("stop ends the tool and what it started", async () => {
  const { tunnel, folder } = standIn(
    'sleep 60 & echo $! > "$DIR/child"; echo $$ > "$DIR/self"; echo "https://a.trycloudflare.com"; wait',
  );
  tunnel.start();
  await reached(tunnel, "up");
  const pids = ["self", "child"].map((name) => Number(readFileSync(join(folder, name), "utf8")));
  expect(pids.every(alive)).toBe(true);
  await tunnel.stop();
  // What was killed has closed its files a moment before it is gone.
  await until("both are gone", () => !pids.some(alive), 2_000);
  expect(tunnel.status().state).toBe("stopped");
  expect(tunnel.publicUrl()).toBeNull();
});

test("the tool gets no secret of Revka's", async () => {
  const { tunnel, folder } = standIn(
    'env > "$DIR/env"; echo "https://a.trycloudflare.com"; exec sleep 60',
  );
  tunnel.start();
  await reached(tunnel, "up");
  expect(readFileSync(join(folder, "env"), "utf8")).not.toMatch(/REVKA_SECRET|GROQ_API_KEY/);
});

test("health_url: three misses in a row end it, two do not", async () => {
  const answers = [true, false, false, true, false, false, false];
  const asked: boolean[] = [];
  const { tunnel, clock } = standIn('echo "https://a.example"; exec sleep 60', {
    config: v.parse(tunnelSchema, {
      provider: "custom",
      custom: { start_command: "cloudflared", health_url: "http://health.invalid" },
    }),
    fetch: async () => {
      const answer = answers[asked.length] ?? true;
      asked.push(answer);
      if (!answer) throw new Error("refused");
      return new Response();
    },
  });
  tunnel.start();
  await reached(tunnel, "up");
  for (let i = 0; i < 6; i++) await clock.advance(30_000);
  expect(asked).toHaveLength(6);
  expect(tunnel.status().state).toBe("up");
  await clock.advance(30_000);
  await reached(tunnel, "down");
  expect(tunnel.status().reason).toBe("cloudflared no longer answers at health_url");
});

test("health_url: an answer that breaks off after its head is one, and ends nothing else", async () => {
  let asked = 0;
  const { tunnel, clock } = standIn('echo "https://a.example"; exec sleep 60', {
    config: v.parse(tunnelSchema, {
      provider: "custom",
      custom: { start_command: "cloudflared", health_url: "http://health.invalid" },
    }),
    fetch: async () => {
      asked++;
      const broken = new ReadableStream({ start: (body) => body.error(new Error("ECONNRESET")) });
      return new Response(broken);
    },
  });
  tunnel.start();
  await reached(tunnel, "up");
  for (let i = 0; i < 4; i++) await clock.advance(30_000);
  expect(asked).toBe(4);
  expect(tunnel.status().state).toBe("up");
});

test("health_url: a request that cannot even be made is a miss, and ends nothing else", async () => {
  const { tunnel, clock } = standIn('echo "https://a.example"; exec sleep 60', {
    config: v.parse(tunnelSchema, {
      provider: "custom",
      custom: { start_command: "cloudflared", health_url: "health.invalid" },
    }),
    fetch: (url) => {
      throw new TypeError(`${url} cannot be parsed as a URL`);
    },
  });
  tunnel.start();
  await reached(tunnel, "up");
  for (let i = 0; i < 2; i++) await clock.advance(30_000);
  expect(tunnel.status().state).toBe("up");
  await clock.advance(30_000);
  await reached(tunnel, "down");
  expect(tunnel.status().reason).toBe("cloudflared no longer answers at health_url");
});
