import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../scripts/free-port.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { WatiSimulator } from "../../src/simulator/wati.ts";
import { command, expectNarrow } from "./support/command.ts";
import { account } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { startGraph } from "./support/graph.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

/** An empty HOME, as on a machine that never saw Revka. */
function emptyHome() {
  const HOME = mkdtempSync(join(tmpdir(), "revka-home-"));
  undo.push(() => rmSync(HOME, { recursive: true, force: true }));
  const file = join(HOME, ".revka/config.toml");
  return {
    env: { HOME },
    home: join(HOME, ".revka"),
    file,
    run: async (...words: string[]) => {
      const result = await command(words, { HOME });
      if (!words.includes("--json")) expectNarrow(result.out);
      return result;
    },
    /** As a person would edit it. */
    edit(change: (text: string) => string) {
      writeFileSync(file, change(readFileSync(file, "utf8")));
    },
    read: () => readFileSync(file, "utf8"),
    async daemon() {
      const daemon = await startDaemon({ home: join(HOME, ".revka"), config: this.read() });
      undo.push(() => daemon[Symbol.asyncDispose]());
      return daemon;
    },
  };
}

/** An address where nobody listens. */
async function deadUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
}

const cloudFlags = [
  ...["--channel", "cloud", "--agent", "echo", "--allow", "+15550001111"],
  ...["--phone-number-id", account.phoneNumberId ?? "", "--access-token", account.accessToken],
  ...["--app-secret", account.appSecret],
];

async function graph() {
  const simulator = await startGraph();
  undo.push(() => simulator.stop());
  return simulator;
}

async function wati() {
  const simulator = new WatiSimulator();
  const { url } = await simulator.start();
  undo.push(() => simulator.close());
  return { simulator, url };
}

describe("from nothing to a reply", () => {
  const setups = {
    cloud: async () => {
      const simulator = await graph();
      return {
        flags: cloudFlags,
        lead: (text: string) =>
          text.replace("[channels_config.whatsapp]", `$&\napi_base_url = "${simulator.url}"`),
        reply: async (gateway: string) => {
          simulator.settings.webhooks.url = `${gateway}/whatsapp`;
          simulator.write({
            from: { phone: "+15550001111" },
            content: content.text("hello"),
          });
          return (await simulator.waitForSends({ to: "+15550001111" }))[0]?.text;
        },
      };
    },
    wati: async () => {
      const { simulator, url } = await wati();
      return {
        flags: [
          ...["--channel", "wati", "--agent", "echo", "--allow", "+15550001111"],
          ...["--api-token", simulator.token, "--webhook-secret", "webhook-secret-1"],
        ],
        lead: (text: string) => text.replace(/api_url = .*/, `api_url = "${url}"`),
        reply: async (gateway: string) => {
          simulator.webhook.url = `${gateway}/wati?secret=webhook-secret-1`;
          simulator.sendText("15550001111", "hello");
          return (await simulator.sends.waitFor({}))[0]?.text;
        },
      };
    },
  };

  test.each(["cloud", "wati"] as const)("%s: init, doctor, daemon, status, send", async (name) => {
    const { flags, lead, reply } = await setups[name]();
    const machine = emptyHome();
    const { run, edit, file } = machine;

    const init = await run("init", ...flags);
    expect(init).toMatchObject({ code: 0, err: "" });
    expect(init.out).toContain(`Wrote ${file}`);
    expect(init.out).toContain("Next: revka doctor, then revka daemon");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(machine.home).mode & 0o777).toBe(0o700);
    // Another Revka may run here.
    const port = await freePort();
    edit((text) => lead(text).replace("port = 42617", `port = ${port}`));

    const before = await run("doctor");
    expect(before.out).toContain("0 errors");
    expect(before).toMatchObject({ code: 0, err: "" });

    const daemon = await machine.daemon();
    expect(await reply(daemon.url)).toBe("hello");
    const status = await run("status");
    expect(status).toMatchObject({ code: 0, err: "" });
    expect(status.out).toContain(`Gateway   ${daemon.url}`);
    const told = await run("status", "--json");
    expect(JSON.parse(told.out)).toMatchObject({
      daemon: { pid: daemon.pid },
      channels: [{ state: "ready" }],
    });
    expect(await run("send", "--to", "+15550001111", "an operator's word")).toMatchObject({
      code: 0,
      err: "",
    });
    const after = await run("doctor", "--json");
    expect(after).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(after.out)).toMatchObject({ ok: true });
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });
});

describe("what is wrong, and what to do", () => {
  test("a wrong token: doctor says so and ends with 1, status once something was sent", async () => {
    const simulator = await graph();
    const machine = emptyHome();
    await machine.run("init", ...cloudFlags);
    machine.edit((text) =>
      text
        .replace("[channels_config.whatsapp]", `$&\napi_base_url = "${simulator.url}"`)
        .replace(account.accessToken, "EAAwrong"),
    );
    const doctor = await machine.run("doctor");
    expect(doctor.code).toBe(1);
    expect(doctor.out).toMatch(/ERROR number: Meta answers 190/);
    expect(doctor.out).toContain("->");
    expect(doctor.out).not.toContain("EAAwrong");
    const json = await machine.run("doctor", "--json");
    expect(json).toMatchObject({ code: 1, err: "" });
    expect(JSON.parse(json.out).ok).toBe(false);

    const daemon = await machine.daemon();
    const sent = await machine.run("send", "--wait", "1", "--to", "+15550001111", "hello");
    expect(sent.code).toBe(0);
    expect(sent.out.replace(/\s+/g, " ")).toMatch(
      /Queued .* It waits because: The access token is/,
    );
    const status = await machine.run("status");
    expect(status.code).toBe(1);
    expect(status.out).toMatch(/sending is held \(190\)/);
    const health = await fetch(`${daemon.url}/health`);
    expect(health.status).toBe(503);
    expect(await health.text()).toContain("190");
  });

  test("no network", async () => {
    const dead = await deadUrl();
    const machine = emptyHome();
    await machine.run("init", ...cloudFlags);
    machine.edit((text) =>
      text.replace("[channels_config.whatsapp]", `$&\napi_base_url = "${dead}"`),
    );
    const doctor = await machine.run("doctor");
    expect(doctor.code).toBe(1);
    expect(doctor.out).toMatch(/ERROR number: Meta cannot be reached at \S+\s+\(\w+\)/);
    expect(doctor.out).toContain("store");
  });

  test("a second daemon of the same home, and one of another home on the same port", async () => {
    const simulator = await graph();
    const machine = emptyHome();
    await machine.run("init", ...cloudFlags);
    machine.edit((text) =>
      text.replace("[channels_config.whatsapp]", `$&\napi_base_url = "${simulator.url}"`),
    );
    const daemon = await machine.daemon();
    const second = await machine.run("daemon", "--port", "0");
    expect(second.code).toBe(1);
    expect(second.err).toContain("the daemon cannot start");
    const other = emptyHome();
    await other.run("init", ...cloudFlags);
    const third = await other.run("daemon", "--port", new URL(daemon.url).port);
    expect(third.code).toBe(1);
    expect(third.err).toContain("the port is in use");
    // Neither did the first one any harm.
    expect((await machine.run("status")).code).toBe(0);
  });

  test("without a daemon: status tells of the channels, the rest says how to start one", async () => {
    const machine = emptyHome();
    expect((await machine.run("status")).code).toBe(78);
    expect((await machine.run("doctor")).err).toContain("revka init");
    await machine.run("init", ...cloudFlags);
    const status = await machine.run("status");
    expect(status).toMatchObject({ code: 1, err: "" });
    expect(status.out).toContain("not running");
    for (const words of [
      ["send", "--to", "+15550001111", "hello"],
      ["pause", "+15550001111"],
      ["resume", "+15550001111"],
      ["redeliver", "some-id"],
      ["relink"],
    ]) {
      const result = await machine.run(...words);
      expect(result).toMatchObject({ code: 1, out: "" });
      expect(result.err).toContain("no daemon is running");
      expect(result.err).toContain("revka daemon");
    }
  });

  test("words that are none", async () => {
    const { run } = emptyHome();
    const typo = await run("statsu");
    expect(typo).toMatchObject({ code: 2, out: "" });
    expect(typo.err).toContain('did you mean "status"');
    const option = await run("status", "--jsno");
    expect(option).toMatchObject({ code: 2, out: "" });
    expect(option.err).toContain("--json");
    expect((await run("init", "--channel", "cloud")).err).toContain("--access-token");
    expect((await run("daemon", "--port", "99999")).code).toBe(2);
    expect((await run("send")).code).toBe(2);
  });

  test("a listener for the whole world must be asked for", async () => {
    const machine = emptyHome();
    await machine.run("init", ...cloudFlags);
    const refused = await machine.run("daemon", "--host", "0.0.0.0", "--port", "0");
    expect(refused.code).toBe(78);
    expect(refused.err).toContain("allow_public_bind");
  });
});
