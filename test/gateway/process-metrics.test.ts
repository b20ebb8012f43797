import { afterEach, beforeEach, expect, test } from "bun:test";
import { join } from "node:path";
import type { ChannelReport } from "../../src/control/api.ts";
import { watchProcess } from "../../src/gateway/process-metrics.ts";
import type { Clock } from "../../src/runtime/clock.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import {
  cloud,
  everybody,
  message,
  recipientAt,
  storeAt,
  temporaryFolder,
} from "../support/store.ts";

let folder: ReturnType<typeof temporaryFolder>;
let clock: FakeClock;
let store: ConversationStore;
let metrics: Metrics;
const turns = { running: 0 };
let reports: ChannelReport[];
let stop: () => void;

beforeEach(() => {
  folder = temporaryFolder();
  clock = fakeClock();
  store = storeAt(join(folder.path, "revka.db"), clock);
  metrics = createMetrics();
  reports = [];
  turns.running = 0;
  stop = watchProcess({ metrics, store, reports: () => reports, turns, clock });
});
afterEach(() => {
  store.close();
  folder.remove();
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
  await store.accept(cloud, [one, two], everybody);
  await clock.advance(4_000);
  const text = { kind: "text" as const, text: "x", quote: null };
  const chat = await store.openChat(cloud, recipientAt("+15550002222"));
  await store.enqueue(
    chat,
    ["a", "b", "c", "d"].map((id) => ({ id, content: text })),
  );
  await store.markFailed("a", { retry: "no", afterMs: null, code: "1", hint: "h" });
  await clock.advance(1_500);
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

test("how late the event loop ran last is measured again and again, until it is left", async () => {
  let late = 0;
  const busy: Clock = {
    now: () => clock.now(),
    after: (ms, callback) => clock.after(ms + late, callback),
  };
  stop();
  expect(clock.pending).toBe(0);
  metrics = createMetrics();
  late = 250;
  stop = watchProcess({ metrics, store, reports: () => reports, turns, clock: busy });
  const lag = () => figures("event_loop");
  expect(await lag()).toEqual(["revka_event_loop_lag_seconds 0"]);
  await clock.advance(749);
  expect(await lag()).toEqual(["revka_event_loop_lag_seconds 0"]);
  late = 0;
  await clock.advance(1);
  expect(await lag()).toEqual(["revka_event_loop_lag_seconds 0.25"]);
  await clock.advance(500);
  expect(await lag()).toEqual(["revka_event_loop_lag_seconds 0"]);
  late = -100;
  await clock.advance(1_000);
  expect(await lag()).toEqual(["revka_event_loop_lag_seconds 0"]);
  expect(clock.pending).toBe(1);
  stop();
  expect(clock.pending).toBe(0);
});

test("memory is that of the process", async () => {
  const [line = ""] = await figures("resident");
  expect(Number(line.split(" ")[1])).toBeGreaterThan(10_000_000);
});
