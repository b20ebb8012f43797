import { refusalReasons } from "../access/refusals.ts";
import { otherNumber } from "../channels/message.ts";
import { ago, duration } from "../telemetry/duration.ts";
import { printable } from "../telemetry/printable.ts";
import { wrap } from "../telemetry/wrap.ts";
import type { ChannelReport, FailedDelivery, ShownStatus, StatusReport } from "./api.ts";

/** A daemon of another version may know other reasons. */
const sentences: ReadonlyMap<string, string> = new Map([
  ...Object.entries(refusalReasons),
  [otherNumber, "It is for another number than `phone_number_id` or `tenant_id` of the config."],
]);
const width = 80;
const label = 10;

/** What a person is shown of the report. `now` is Unix milliseconds. */
export function shownStatus(report: StatusReport, now: number): ShownStatus {
  return { ready: isReady(report), text: textOf(report, now), qr: codesOf(report) };
}

/** A running daemon with every configured channel ready; with no channel at all, nobody is served. */
export function isReady({ daemon, channels }: StatusReport): boolean {
  return daemon.running && channels.length > 0 && channels.every(({ state }) => state === "ready");
}

function codesOf({ channels }: StatusReport): string[] {
  return channels.flatMap(({ linking }) => linking?.qr ?? []);
}

function textOf(report: StatusReport, now: number): string {
  const { daemon, inbox, outbox, turns, gateway } = report;
  const state = daemon.running
    ? `running, pid ${daemon.pid ?? "?"}, up ${duration(daemon.uptime_seconds ?? 0)}`
    : "not running; start it with `revka daemon` or `revka service start`";
  const lines = [
    row("Revka", `${report.version} (${report.variant})`),
    row("Daemon", state),
    row("Config", report.config_path),
  ];
  if (gateway.address) lines.push(row("Gateway", gateway.address));
  if (gateway.public_url) lines.push(row("Public", gateway.public_url));
  lines.push("", "Channels");
  if (report.channels.length === 0)
    lines.push("  none configured; add [channels_config.whatsapp] or [channels_config.wati]");
  for (const channel of report.channels) lines.push(...channelLines(channel, now));
  if (!daemon.running && inbox.pending + outbox.pending + outbox.failed > 0) {
    const failed = outbox.failed > 0 ? `, ${outbox.failed} failed` : "";
    lines.push(
      "",
      row("Inbox", `${inbox.pending} waiting`),
      row("Outbox", `${outbox.pending} waiting${failed}`),
    );
  }
  if (daemon.running) {
    lines.push(
      "",
      row("Inbox", `${inbox.pending} waiting${oldest(inbox)}, ${turns.running} being answered`),
      row("Outbox", `${outbox.pending} waiting${oldest(outbox)}, ${outbox.failed} failed`),
    );
    // A daemon from before an update counts none.
    if (outbox.unconfirmed > 0) {
      lines.push(
        row(
          "",
          `${outbox.unconfirmed} sent without an answer: word of it is waited for before it goes again`,
        ),
      );
    }
    if (report.closed_windows > 0) {
      lines.push(
        row(
          "Windows",
          `${report.closed_windows} ${report.closed_windows === 1 ? "chat" : "chats"} past 24 hours, so templates only`,
        ),
      );
    }
    lines.push(...details(report, now));
  }
  return `${lines.join("\n")}\n`;
}

function details(report: StatusReport, now: number): string[] {
  const lines: string[] = [];
  if (report.alarms.length > 0) {
    lines.push("", "Needs a person");
    for (const alarm of report.alarms) {
      lines.push(
        item(`${alarm.source}: ${alarm.code}, for ${span(alarm.since, now)}: ${alarm.hint}`),
      );
    }
  }
  if (report.failed_deliveries.length > 0) {
    lines.push("", "Failed deliveries (try again with `revka redeliver ID`)");
    for (const failed of report.failed_deliveries) {
      lines.push(
        item(
          `${failed.id}  ${failed.channel}${to(failed)}, ${ago(failed.at, now)}: ${failed.code}: ${failed.hint}`,
        ),
      );
    }
  }
  if (report.paused_chats.length > 0) {
    const running = report.channels.filter(({ backend }) => backend !== null);
    const which = running.length > 1 ? " --channel NAME" : "";
    lines.push("", `Paused chats (go on with \`revka resume CHAT${which}\`)`);
    for (const chat of report.paused_chats) lines.push(item(`${chat.channel} ${chat.chat_id}`));
  }
  if (report.refusals.length > 0) {
    lines.push("", "Refused since the start");
    for (const { channel, reason, count } of report.refusals) {
      const sentence = sentences.get(reason);
      lines.push(
        item(`${channel}: ${count} × ${reason}${sentence === undefined ? "" : `. ${sentence}`}`),
      );
    }
  }
  return lines;
}

function channelLines(channel: ChannelReport, now: number): string[] {
  const named = channel.backend === null || channel.backend === channel.channel;
  const name = named ? channel.channel : `${channel.channel} (${channel.backend})`;
  const as = channel.linked_as ? ` as ${channel.linked_as}` : "";
  const lines = [
    item(`${name}: ${channel.state}${as}${channel.reason ? `; ${channel.reason}` : ""}`),
  ];
  if (channel.last_inbound_at || channel.last_outbound_at) {
    lines.push(
      item(
        `last received: ${ago(channel.last_inbound_at, now)}; last sent: ${ago(channel.last_outbound_at, now)}`,
        4,
      ),
    );
  }
  const error = channel.last_error;
  // What is the matter now has said it already.
  const said = error?.hint && channel.reason?.includes(error.hint);
  if (error && !said)
    lines.push(item(`last error ${ago(error.at, now)}: ${error.code}: ${error.hint}`, 4));
  if (channel.linking?.pair_code) {
    lines.push(item(`pair code ${dashed(channel.linking.pair_code)}`, 4));
  }
  return lines;
}

/** A daemon from before an update does not say to whom. */
function to({ chat_id }: FailedDelivery): string {
  return chat_id ? ` to ${chat_id}` : "";
}

function oldest(queue: { pending: number; oldest_age_seconds: number | null }): string {
  return queue.pending > 0 && queue.oldest_age_seconds !== null
    ? ` (oldest ${duration(queue.oldest_age_seconds)})`
    : "";
}

function span(since: string, now: number): string {
  const then = Date.parse(since);
  return Number.isNaN(then) ? since : duration((now - then) / 1000);
}

function row(name: string, value: string): string {
  const lines = wrap(printable(value), width - label);
  return name.padEnd(label) + lines.join(`\n${" ".repeat(label)}`);
}

function item(text: string, indent = 2): string {
  const space = " ".repeat(indent);
  return space + wrap(printable(text), width - indent - 2).join(`\n${space}  `);
}

/** A pair code as phones show it. */
export function dashed(code: string): string {
  return `${code.slice(0, 4)}-${code.slice(4)}`;
}
