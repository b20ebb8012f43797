import { expect, test } from "bun:test";
import type { ChannelReport, StatusReport } from "../../src/control/api.ts";
import { shownStatus } from "../../src/control/status-text.ts";
import { statusReport } from "../support/status-report.ts";

const now = Date.parse("2026-01-01T12:00:00Z");
const channel: ChannelReport = {
  channel: "whatsapp",
  backend: "cloud",
  state: "ready",
  reason: null,
  linked_as: null,
  last_inbound_at: null,
  last_outbound_at: null,
  last_error: null,
};
const report = statusReport({ channels: [channel] });
const page = (changes: Partial<StatusReport> = {}) =>
  shownStatus({ ...report, ...changes }, now).text.split("\n");

test("a daemon of which there is nothing to say has a short page", () => {
  expect(page()).toEqual([
    "Revka     1.2.3 (default)",
    "Daemon    running, pid 42, up 1 min",
    "Config    /home/ada/.revka/config.toml",
    "",
    "Channels",
    "  whatsapp (cloud): ready",
    "",
    "Inbox     0 waiting, 0 being answered",
    "Outbox    0 waiting, 0 failed",
    "",
  ]);
});

test("where none runs nothing is said of what only it knows", () => {
  const off = { running: false, pid: null, uptime_seconds: null };
  expect(page({ daemon: off, channels: [], closed_windows: 3 })).toEqual([
    "Revka     1.2.3 (default)",
    "Daemon    not running; start it with `revka daemon` or `revka service start`",
    "Config    /home/ada/.revka/config.toml",
    "",
    "Channels",
    "  none configured; add [channels_config.whatsapp] or [channels_config.wati]",
    "",
  ]);
});

test("and what waits in its store is, without an age", () => {
  const waiting = {
    daemon: { running: false, pid: null, uptime_seconds: null },
    inbox: { pending: 2, oldest_age_seconds: null },
    outbox: { pending: 0, failed: 0, unconfirmed: 0, oldest_age_seconds: null },
  };
  expect(page(waiting).slice(-4)).toEqual(["", "Inbox     2 waiting", "Outbox    0 waiting", ""]);
  const failed = { ...waiting, outbox: { ...waiting.outbox, failed: 3 } };
  expect(page(failed).at(-2)).toBe("Outbox    0 waiting, 3 failed");
});

test("the last error is left out where the reason of now says the same", () => {
  const error = { at: "2026-01-01T11:59:00Z", code: "190", hint: "The token has expired" };
  const at = (reason: string | null) =>
    page({ channels: [{ ...channel, reason, last_error: error }] }).filter((line) =>
      line.includes("last error"),
    );
  expect(at(`sending is held (190): ${error.hint}`)).toEqual([]);
  expect(at("something else")).toHaveLength(1);
  expect(at(null)).toHaveLength(1);
});

test("addresses, and each channel by its name, state and code", () => {
  const linking = { qr: null, pair_code: "ABCD1234", expires_at: "2026-01-01T12:01:00Z" };
  const lines = page({
    gateway: { address: "http://127.0.0.1:42617", public_url: "https://bot.example" },
    channels: [
      { ...channel, backend: "web", state: "linking", linking },
      { ...channel, backend: null, state: "skipped", reason: "config-invalid" },
      {
        ...channel,
        channel: "wati",
        backend: "wati",
        linked_as: "+15550001111",
        last_outbound_at: "2026-01-01T11:58:00Z",
      },
    ],
  });
  expect(lines.slice(3, 11)).toEqual([
    "Gateway   http://127.0.0.1:42617",
    "Public    https://bot.example",
    "",
    "Channels",
    "  whatsapp (web): linking",
    "    pair code ABCD-1234",
    "  whatsapp: skipped; config-invalid",
    "  wati: ready as +15550001111",
  ]);
  expect(lines[11]).toBe("    last received: never; last sent: 2 min ago");
});

test("what is too long for a line goes on below its beginning, no wider than a terminal", () => {
  const words = (count: number) => Array(count).fill("word").join(" ");
  const at = "2026-01-01T11:59:00Z";
  const error = { at, code: "131000", hint: `a line\nof its own ${words(11)}` };
  const lines = page({
    config_path: words(15),
    channels: [{ ...channel, state: "disconnected", reason: words(12), last_error: error }],
    alarms: [{ since: at, source: "store", code: "full", hint: words(11) }],
  });
  expect(lines.slice(2, 10)).toEqual([
    `Config    ${words(14)}`,
    "          word",
    "",
    "Channels",
    `  whatsapp (cloud): disconnected; ${words(9)}`,
    `    ${words(3)}`,
    `    last error 1 min ago: 131000: a line\\u000aof its own ${words(4)}`,
    `      ${words(7)}`,
  ]);
  expect(lines.slice(-4)).toEqual([
    "Needs a person",
    `  store: full, for 1 min: ${words(10)}`,
    "    word",
    "",
  ]);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
});
