import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { isReady } from "../../src/commands/status.ts";
import {
  ControlError,
  type ChannelReport,
  type ControlApi,
  type SendReport,
  type StatusReport,
} from "../../src/control/api.ts";
import { controlServer } from "../../src/control/server.ts";
import { revka, temporaryHome, widest } from "../support/command.ts";
import { statusReport } from "../support/status-report.ts";

const undo: (() => unknown)[] = [];
let env: Record<string, string>;
beforeEach(() => {
  env = { REVKA_HOME: temporaryHome(undo), HOME: "/nonexistent" };
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

const cloud: ChannelReport = {
  channel: "whatsapp",
  backend: "cloud",
  state: "ready",
  reason: null,
  linked_as: "+15550001111",
  last_inbound_at: new Date(Date.now() - 90_000).toISOString(),
  last_outbound_at: null,
  last_error: null,
};

const report = statusReport({
  version: "0.1.0",
  variant: "whatsapp-web",
  config_path: "/home/ada/.revka/config.toml",
  daemon: { running: true, pid: 4711, uptime_seconds: 11_520 },
  channels: [cloud],
  gateway: { address: "http://127.0.0.1:42617", public_url: null },
});

const sent: SendReport = {
  deliveries: [{ id: "d1", state: "sent", platform_id: "wamid.1", code: null, hint: null }],
  window_warning: null,
};

/** A daemon's end of the socket, with the calls it got. */
async function daemon(answers: Partial<ControlApi> = {}) {
  const calls: unknown[][] = [];
  const noted =
    <A extends unknown[], T>(name: string, answer: (...args: A) => Promise<T>) =>
    (...args: A) => {
      calls.push([name, ...args]);
      return answer(...args);
    };
  const server = await controlServer(join(env["REVKA_HOME"] ?? "", "revka.sock"), () => ({
    status: answers.status ?? (async () => report),
    send: noted("send", answers.send ?? (async () => sent)),
    pause: noted("pause", answers.pause ?? (async () => ({ changed: true }))),
    resume: noted("resume", answers.resume ?? (async () => ({ changed: true }))),
    redeliver: noted("redeliver", answers.redeliver ?? (async () => {})),
    relink: noted("relink", answers.relink ?? (async () => {})),
  }));
  undo.push(() => server.stop(true));
  return calls;
}

describe("status", () => {
  test("of a ready daemon is 0 and needs no config", async () => {
    await daemon();
    const { code, out, err } = await revka(["status"], env);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("running, pid 4711, up 3 h 12 min");
    expect(out).toContain("whatsapp (cloud): ready as +15550001111");
    expect(out).toContain("last received: 1 min ago; last sent: never");
  });

  test("of one chat speaks of one", async () => {
    await daemon({ status: async () => ({ ...report, closed_windows: 1 }) });
    expect((await revka(["status"], env)).out).toContain("1 chat past 24 hours");
  });

  test("--json is the report and nothing else", async () => {
    await daemon();
    const { code, out, err } = await revka(["status", "--json"], env);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(JSON.parse(out)).toEqual(report);
  });

  test("shows all that needs a person, in 80 columns, and lets nothing steer the terminal", async () => {
    const long =
      "The access token is invalid, expired or revoked: create a system user token. ".repeat(3);
    await daemon({
      status: async () => ({
        ...report,
        channels: [
          {
            ...cloud,
            state: "disconnected",
            reason: `held: ${long}`,
            last_error: { at: cloud.last_inbound_at ?? "", code: "190", hint: long },
          },
        ],
        inbox: { pending: 3, oldest_age_seconds: 75 },
        outbox: { pending: 2, failed: 1, oldest_age_seconds: 5 },
        failed_deliveries: [
          {
            id: "01k9m2x7p4q8r6s5t3v1w0y2z",
            channel: "whatsapp",
            at: new Date().toISOString(),
            code: "131047",
            hint: "evil\u001b[2J\u202e",
          },
        ],
        alarms: [{ since: new Date().toISOString(), source: "store", code: "full", hint: long }],
        refusals: [
          { channel: "whatsapp", reason: "not_allowed", count: 12 },
          { channel: "whatsapp", reason: "of_a_later_version", count: 1 },
        ],
        paused_chats: [{ channel: "whatsapp", chat_id: "+15550002222" }],
        closed_windows: 4,
      }),
    });
    const { code, out } = await revka(["status"], env);
    expect(code).toBe(1);
    expect(widest(out)).toBeLessThanOrEqual(80);
    expect(out).not.toMatch(/[\u001b\u202e]/);
    for (const part of [
      "190: The access token",
      "131047: evil",
      "3 waiting (oldest 1 min)",
      "2 waiting (oldest 5 s), 1 failed",
      "revka redeliver ID",
      "01k9m2x7p4q8r6s5t3v1w0y2z",
      "store: full, for",
      "12 × not_allowed. Its sender is not in `allowed_numbers`.",
      "1 × of_a_later_version\n",
      "revka resume CHAT",
      "+15550002222",
      "4 chats past 24 hours",
    ]) {
      expect(out).toContain(part);
    }
  });

  const wati: ChannelReport = { ...cloud, channel: "wati", backend: "wati" };
  test.each([
    ["one runs", [wati], "revka resume CHAT"],
    ["two run", [cloud, wati], "revka resume CHAT --channel NAME"],
    ["the other is skipped", [{ ...cloud, backend: null }, wati], "revka resume CHAT"],
  ])("a paused chat is resumed with the words that it takes: %s", async (_, channels, words) => {
    const paused_chats: StatusReport["paused_chats"] = [{ channel: "wati", chat_id: "+1555" }];
    await daemon({ status: async () => ({ ...report, channels, paused_chats }) });
    expect((await revka(["status"], env)).out).toContain(`(go on with \`${words}\`)\n`);
  });

  test("while linking draws the code", async () => {
    const linking = {
      qr: "2@abcdefghij,klm,nop",
      pair_code: null,
      expires_at: "2026-01-01T00:00:00Z",
    };
    await daemon({
      status: async () => ({
        ...report,
        channels: [{ ...cloud, backend: "web", state: "linking", linked_as: null, linking }],
      }),
    });
    const plain = await revka(["status"], env);
    expect(plain.code).toBe(1);
    expect(plain.out).toContain("Linked devices");
    expect(plain.out).toMatch(/[█▀▄]{5}/);
    expect(plain.out).not.toContain("\u001b");
    expect((await revka(["status"], env, { color: true })).out).toContain("\u001b[40;97m");
    expect(JSON.parse((await revka(["status", "--json"], env)).out).channels[0].linking).toEqual(
      linking,
    );
  });

  const ready: [string, Partial<StatusReport>, boolean][] = [
    ["every channel ready", {}, true],
    ["no channel at all", { channels: [] }, false],
    ["one skipped", { channels: [cloud, { ...cloud, state: "skipped", backend: null }] }, false],
    ["one connecting", { channels: [{ ...cloud, state: "connecting" }] }, false],
    ["not running", { daemon: { running: false, pid: null, uptime_seconds: null } }, false],
  ];
  test.each(ready)("is ready with %s", (_, change, expected) => {
    expect(isReady({ ...report, ...change })).toBe(expected);
  });

  test("without a daemon lists the channels of the config", async () => {
    writeFileSync(
      join(env["REVKA_HOME"] ?? "", "config.toml"),
      [
        "[agent]",
        'kind = "echo"',
        "[channels_config.whatsapp]",
        'allowed_numbers = ["*"]',
        "[channels_config.wati]",
        'api_token = "wati-s3cret-token"',
      ].join("\n"),
    );
    const { code, out } = await revka(["status", "--json"], env);
    expect(code).toBe(1);
    const document: StatusReport = JSON.parse(out);
    expect(document.daemon).toEqual({ running: false, pid: null, uptime_seconds: null });
    expect(
      document.channels.map(({ channel, backend, state }) => [channel, backend, state]),
    ).toEqual([
      ["whatsapp", null, "skipped"],
      ["wati", "wati", "disconnected"],
    ]);
    expect(document.channels[0]?.reason).toContain("config-invalid");
    expect(out).not.toContain("s3cret");
    expect((await revka(["status"], env)).out).toContain("not running");
    const path = join(env["REVKA_HOME"] ?? "", "config.toml");
    const named = await revka(["status", "--json", "--config", relative(process.cwd(), path)], env);
    expect(JSON.parse(named.out)).toMatchObject({ config_path: path });
  });
});

describe("send", () => {
  test("says who, what and where", async () => {
    const calls = await daemon();
    const { code, out } = await revka(
      ["send", "--to", "+15550001111", "--channel", "whatsapp", "--wait", "3", "hello there"],
      env,
    );
    expect({ code, out }).toEqual({ code: 0, out: "Sent (d1).\n" });
    expect(calls).toEqual([
      ["send", { to: "+15550001111", text: "hello there", channel: "whatsapp", wait_ms: 3000 }],
    ]);
  });

  test("- reads standard input", async () => {
    const calls = await daemon();
    await revka(["send", "--to", "+15550001111", "-"], env, { input: "line 1\nline 2\n" });
    expect(calls).toEqual([["send", expect.objectContaining({ text: "line 1\nline 2" })]]);
  });

  test("an empty text is wrong usage", async () => {
    await daemon();
    expect((await revka(["send", "--to", "+15550001111", " "], env)).code).toBe(2);
    expect(await revka(["send", "--to", "Ada", "x"], env)).toMatchObject({
      code: 2,
      err: expect.stringContaining("Ada is neither a number"),
    });
    expect((await revka(["send", "--to", "+15550001111", "-"], env, { input: "\n" })).code).toBe(2);
    const long = await revka(["send", "--to", "+15550001111", "x".repeat(65_537)], env);
    expect(long).toMatchObject({ code: 2, err: expect.stringContaining("65537 characters, at") });
  });

  test("a failure is 1 and says why and how to repeat it", async () => {
    await daemon({
      send: async () => ({
        deliveries: [
          { id: "d9", state: "failed", platform_id: null, code: "131047", hint: "Past 24 hours." },
        ],
        window_warning: "The window is closed.",
      }),
    });
    const { code, err } = await revka(["send", "--to", "+15550001111", "x"], env);
    expect(code).toBe(1);
    for (const part of [
      "131047",
      "Past 24 hours.",
      "revka redeliver d9",
      "The window is closed.",
    ]) {
      expect(err).toContain(part);
    }
  });

  test("what waits on disk is 0 and says that it waits", async () => {
    await daemon({
      send: async () => ({
        deliveries: [{ id: "d2", state: "pending", platform_id: null, code: null, hint: null }],
        window_warning: null,
      }),
    });
    const { code, out } = await revka(["send", "--to", "+15550001111", "x"], env);
    expect(code).toBe(0);
    expect(out).toContain("Queued (d2)");
  });

  test("without --to goes to notification_target", async () => {
    const calls = await daemon();
    writeFileSync(
      join(env["REVKA_HOME"] ?? "", "config.toml"),
      '[agent]\nkind = "echo"\n[channels_config.wati]\napi_token = "abcd"\nnotification_target = "+15550003333"\n',
    );
    expect((await revka(["send", "x"], env)).code).toBe(0);
    expect(calls).toEqual([["send", expect.objectContaining({ to: "+15550003333" })]]);
  });

  test("a refusal of the daemon is told in its words", async () => {
    await daemon({
      send: () => Promise.reject(new ControlError(400, "two channels run: name one")),
    });
    const { code, err } = await revka(["send", "--to", "+15550001111", "y"], env);
    expect({ code, err }).toEqual({ code: 1, err: "revka: two channels run: name one\n" });
  });
});

test.each([
  [
    ["pause", "+15550001111", "--channel", "wati"],
    ["pause", { chat: "+15550001111", channel: "wati" }],
  ],
  [
    ["resume", "+15550001111"],
    ["resume", { chat: "+15550001111" }],
  ],
  [
    ["redeliver", "d7"],
    ["redeliver", "d7"],
  ],
  [["relink"], ["relink"]],
])("%p asks the daemon", async (words, call) => {
  const calls = await daemon();
  const { code, out } = await revka(words, env);
  expect(code).toBe(0);
  expect(out).not.toBe("");
  expect(calls).toEqual([call]);
});

test("relink follows until the phone took the code", async () => {
  let polls = 0;
  await daemon({
    status: async () => {
      polls++;
      const linking = { qr: null, pair_code: "ABCD1234", expires_at: "2026-01-01T00:00:00Z" };
      const web: ChannelReport = { ...cloud, backend: "web" };
      return {
        ...report,
        channels: [polls === 1 ? { ...web, state: "linking", linked_as: null, linking } : web],
      };
    },
  });
  const { code, out } = await revka(["relink", "--wait", "10"], env);
  expect(code).toBe(0);
  expect(out).toContain("Enter ABCD-1234");
  expect(out).toContain("Linked as +15550001111");
});

test("without a daemon, pause says how to start one, and how to get a config where there is none", async () => {
  const words = ["pause", "+15550001111"];
  const config = join(env["REVKA_HOME"] ?? "", "config.toml");
  const without = await revka(words, env);
  expect(without.code).toBe(1);
  expect(without.err).toContain(`write ${config} with \`revka init\`, then start it with`);
  writeFileSync(config, "");
  const started = await revka(words, env);
  expect(started.err).toContain("start it with `revka daemon`");
  expect(started.err).not.toContain("init");
});

describe("what lies at the socket's place is told in words, and what to do", () => {
  const commands = [["status"], ["status", "--json"], ["pause", "x"], ["redeliver", "d1"]];
  const place = () => join(env["REVKA_HOME"] ?? "", "revka.sock");

  async function each(words: string): Promise<void> {
    for (const command of commands) {
      const { code, out, err } = await revka(command, env);
      const expected = `${place()} ${words}`;
      expect({ command, code, err }).toEqual({
        command,
        code: 1,
        err: expect.stringContaining(expected),
      });
      expect(err).not.toContain("unexpected");
      if (command.includes("--json")) expect(JSON.parse(out).error).toContain(expected);
      else expect(out).toBe("");
    }
  }

  test("a file, and a folder", async () => {
    writeFileSync(place(), "");
    await each("is no socket: move it away");
    rmSync(place());
    mkdirSync(place());
    await each("is no socket");
    await expect(controlServer(place(), () => Promise.reject(new Error("?")))).rejects.toThrow(
      `${place()} is no socket`,
    );
    expect(existsSync(place())).toBe(true);
  });

  test.each([
    ["HTML", 200, "<html>"],
    ["nothing", 200, ""],
    ["HTML of an error", 502, "<html>"],
    ["null", 200, "null"],
    ["a text", 200, '"fine"'],
  ])("a program that answers %s", async (_, status, body) => {
    const server = createHttpServer((_, outgoing) => outgoing.writeHead(status).end(body));
    undo.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(place(), resolve));
    await each("is no daemon of this Revka: restart the daemon after an update, or stop");
  });

  test("a program that speaks no HTTP", async () => {
    const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9\r\n"));
    undo.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(place(), resolve));
    await each("is no daemon of this Revka");
  });

  test("a daemon of another version, whose report lacks what is shown", async () => {
    await daemon({ status: () => Promise.resolve(Object.create(null)) });
    const { code, err } = await revka(["status"], env);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("after an update") });
  });

  test("a daemon that hangs up", async () => {
    const server = createServer((socket) => socket.destroy());
    undo.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(place(), resolve));
    await each("hung up without an answer: see its log, and whether it still runs");
  });
});
