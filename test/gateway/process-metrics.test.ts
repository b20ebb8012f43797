import { beforeEach, expect, test } from "bun:test";
import type { ChannelReport } from "../../src/control/api.ts";
import { addProcessFigures } from "../../src/gateway/process-metrics.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { storeTrial } from "../support/store-trial.ts";
import { cloud, everybody, message, recipientAt } from "../support/store.ts";

const trial = storeTrial();
let metrics: Metrics;
const turns = { running: 0 };
let reports: ChannelReport[];

beforeEach(() => {
  metrics = createMetrics();
  reports = [];
  turns.running = 0;
  const { store, clock } = trial;
  addProcessFigures({ metrics, store, reports: () => reports, turns, clock });
});

/** What `/metrics` says of these figures. */
async function figures(...names: string[]): Promise<string[]> {
  const lines = (await metrics.text()).split("\n");
  return lines.filter((line) => names.some((name) => line.startsWith(`revka_${name}`)));
}

test("what waits is counted, and since when, in seconds", async () => {
  expect(await figures("inbox", "outbox")).toEqual([
    "revka_inbox_pending 0",
    "revka_inbox_oldest_seconds 0",
    "revka_outbox_pending 0",
    "revka_outbox_failed 0",
    "revka_outbox_oldest_seconds 0",
  ]);
  const one = { kind: "message" as const, message: message() };
  const two = { kind: "message" as const, message: message() };
  await trial.store.accept(cloud, [one, two], everybody);
  await trial.clock.advance(4_000);
  const text = { kind: "text" as const, text: "x", quote: null };
  const chat = await trial.store.openChat(cloud, recipientAt("+15550002222"));
  await trial.store.enqueue(
    chat,
    ["a", "b", "c", "d"].map((id) => ({ id, content: text })),
  );
  await trial.store.markFailed("a", { retry: "no", afterMs: null, code: "1", hint: "h" });
  await trial.clock.advance(1_500);
  turns.running = 3;
  expect(await figures("inbox", "outbox", "turns_running")).toEqual([
    "revka_inbox_pending 2",
    "revka_inbox_oldest_seconds 5.5",
    "revka_outbox_pending 3",
    "revka_outbox_failed 1",
    "revka_outbox_oldest_seconds 1.5",
    "revka_turns_running 3",
  ]);
});

test("a clock that is set back makes nothing wait for less than no time", async () => {
  await trial.store.accept(cloud, [{ kind: "message", message: message() }], everybody);
  await trial.clock.advance(-60_000);
  expect(await figures("inbox_oldest")).toEqual(["revka_inbox_oldest_seconds 0"]);
});

test("what attachments take is told", async () => {
  await trial.store.addAttachments(1, [{ path: "/media/1", bytes: 7 }]);
  expect(await figures("media")).toEqual(["revka_media_bytes 7"]);
});

test("each channel's state is shown, and whether that is ready", async () => {
  const report: ChannelReport = {
    channel: "whatsapp",
    backend: "cloud",
    state: "ready",
    reason: null,
    linked_as: "+15550001111",
    last_inbound_at: null,
    last_outbound_at: null,
    last_error: null,
  };
  reports = [report, { ...report, channel: "wati", backend: null, state: "skipped" }];
  expect(await figures("channel")).toEqual([
    'revka_channel_ready{channel="whatsapp",backend="cloud"} 1',
    'revka_channel_ready{channel="wati",backend="none"} 0',
    'revka_channel_state{channel="whatsapp",backend="cloud",state="ready"} 1',
    'revka_channel_state{channel="wati",backend="none",state="skipped"} 1',
  ]);
  reports = [{ ...report, state: "disconnected" }];
  expect(await figures("channel")).toEqual([
    'revka_channel_ready{channel="whatsapp",backend="cloud"} 0',
    'revka_channel_state{channel="whatsapp",backend="cloud",state="disconnected"} 1',
  ]);
});

test("how busy the event loop is shows when it is asked for, and no timer runs for it", async () => {
  const lag = async () => Number((await figures("event_loop"))[0]?.split(" ")[1]);
  await lag();
  // Due before what the figure waits for.
  setImmediate(() => Bun.sleepSync(60));
  const busy = await lag();
  expect([busy >= 0.06, busy < 5]).toEqual([true, true]);
  expect(trial.clock.pending).toBe(0);
});

test("memory is that of the process", async () => {
  const [line = ""] = await figures("resident");
  expect(Number(line.split(" ")[1])).toBeGreaterThan(10_000_000);
});
