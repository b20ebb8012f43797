import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { ChannelReport, StatusReport } from "../../src/control/api.ts";
import { isReady } from "../../src/control/status-text.ts";
import { revka, widest } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";
import { statusReport } from "../support/status-report.ts";

const trial = commandTrial();

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

test("status of a ready daemon is 0 and needs no config", async () => {
  await trial.daemon({ status: async () => report });
  const { code, out, err } = await revka(["status"], trial.env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toContain("running, pid 4711, up 3 h 12 min");
  expect(out).toContain("whatsapp (cloud): ready as +15550001111");
  expect(out).toContain("last received: 1 min ago; last sent: never");
});

test("status of one chat speaks of one", async () => {
  await trial.daemon({ status: async () => ({ ...report, closed_windows: 1 }) });
  expect((await revka(["status"], trial.env)).out).toContain("1 chat past 24 hours");
});

test("status --json is the report and nothing else", async () => {
  await trial.daemon({ status: async () => report });
  const { code, out, err } = await revka(["status", "--json"], trial.env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(JSON.parse(out)).toEqual(report);
});

test("status shows all that needs a person, in 80 columns, and lets nothing steer the terminal", async () => {
  const long =
    "The access token is invalid, expired or revoked: create a system user token. ".repeat(3);
  await trial.daemon({
    status: async () => ({
      ...report,
      channels: [
        {
          ...cloud,
          state: "disconnected",
          reason: `held: ${long}`,
          last_error: { at: cloud.last_inbound_at ?? "", code: "190", hint: `${long}Yes.` },
        },
      ],
      inbox: { pending: 3, oldest_age_seconds: 75 },
      outbox: { pending: 2, failed: 1, unconfirmed: 3, oldest_age_seconds: 5 },
      failed_deliveries: [
        {
          id: "01k9m2x7p4q8r6s5t3v1w0y2z",
          channel: "whatsapp",
          chat_id: "+15550003333",
          at: new Date().toISOString(),
          code: "131047",
          hint: "evil\u001b[2J\u202e",
        },
      ],
      alarms: [{ since: new Date().toISOString(), source: "store", code: "full", hint: long }],
      refusals: [
        { channel: "whatsapp", reason: "not_allowed", count: 12 },
        { channel: "whatsapp", reason: "other_number", count: 3 },
        { channel: "whatsapp", reason: "of_a_later_version", count: 1 },
      ],
      paused_chats: [{ channel: "whatsapp", chat_id: "+15550002222" }],
      closed_windows: 4,
    }),
  });
  const { code, out } = await revka(["status"], trial.env);
  expect(code).toBe(1);
  expect(widest(out)).toBeLessThanOrEqual(80);
  expect(out).not.toMatch(/[\u001b\u202e]/);
  for (const part of [
    "190: The access token",
    "whatsapp to +15550003333, ",
    "evil\\u001b",
    "3 waiting (oldest 1 min)",
    "2 waiting (oldest 5 s), 1 failed",
    "3 sent without an answer",
    "revka redeliver ID",
    "01k9m2x7p4q8r6s5t3v1w0y2z",
    "store: full, for",
    "12 × not_allowed. Its sender is not in `allowed_numbers`.",
    "3 × other_number. It is for another number than `phone_number_id`",
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
  await trial.daemon({ status: async () => ({ ...report, channels, paused_chats }) });
  expect((await revka(["status"], trial.env)).out).toContain(`(go on with \`${words}\`)\n`);
});

test("status while linking draws the code", async () => {
  const linking = {
    qr: "2@abcdefghij,klm,nop",
    pair_code: null,
    expires_at: "2026-01-01T00:00:00Z",
  };
  await trial.daemon({
    status: async () => ({
      ...report,
      channels: [{ ...cloud, backend: "web", state: "linking", linked_as: null, linking }],
    }),
  });
  const plain = await revka(["status"], trial.env);
  expect(plain.code).toBe(1);
  expect(plain.out).toContain("Linked devices");
  expect(plain.out).toMatch(/[█▀▄]{5}/);
  expect(plain.out).not.toContain("\u001b");
  expect((await revka(["status"], trial.env, { color: true })).out).toContain("\u001b[40;97m");
  expect(
    JSON.parse((await revka(["status", "--json"], trial.env)).out).channels[0].linking,
  ).toEqual(linking);
});

const ready: [string, Partial<StatusReport>, boolean][] = [
  ["every channel ready", {}, true],
  ["no channel at all", { channels: [] }, false],
  ["one skipped", { channels: [cloud, { ...cloud, state: "skipped", backend: null }] }, false],
  ["one connecting", { channels: [{ ...cloud, state: "connecting" }] }, false],
  ["not running", { daemon: { running: false, pid: null, uptime_seconds: null } }, false],
];
test.each(ready)("status is ready with %s", (_, change, expected) => {
  expect(isReady({ ...report, ...change })).toBe(expected);
});

test("status without a daemon lists the channels of the config", async () => {
  writeFileSync(
    join(trial.home, "config.toml"),
    [
      "[agent]",
      'kind = "echo"',
      "[channels_config.whatsapp]",
      'allowed_numbers = ["*"]',
      "[channels_config.wati]",
      'api_token = "wati-s3cret-token"',
    ].join("\n"),
  );
  const { code, out } = await revka(["status", "--json"], trial.env);
  expect(code).toBe(1);
  const document: StatusReport = JSON.parse(out);
  expect(document.daemon).toEqual({ running: false, pid: null, uptime_seconds: null });
  expect(document.channels.map(({ channel, backend, state }) => [channel, backend, state])).toEqual(
    [
      ["whatsapp", null, "skipped"],
      ["wati", "wati", "disconnected"],
    ],
  );
  expect(document.channels[0]?.reason).toContain("config-invalid");
  expect(out).not.toContain("s3cret");
  expect((await revka(["status"], trial.env)).out).toContain("not running");
  const path = join(trial.home, "config.toml");
  const named = await revka(
    ["status", "--json", "--config", relative(process.cwd(), path)],
    trial.env,
  );
  expect(JSON.parse(named.out)).toMatchObject({ config_path: path });
});
