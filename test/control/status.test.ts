import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { join } from "node:path";
import type { SendFailure } from "../../src/channels/message.ts";
import type { ControlApi } from "../../src/control/api.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { createMetrics, type Metrics } from "../../src/telemetry/metrics.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";

import { operatorOver } from "../support/operator.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

const hour = 60 * 60 * 1000;
const ada = "+15550001111";
const expired: SendFailure = {
  retry: "hold",
  afterMs: null,
  code: "190",
  hint: "the token has expired",
};

let folder: ReturnType<typeof temporaryFolder>;
let clock: FakeClock;
let store: ConversationStore;
let channel: FakeChannel;
let metrics: Metrics;
let api: ControlApi;

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  metrics = createMetrics();
  api = operatorOver(store, clock, [channel], [], { metrics });
});
afterEach(() => {
  store.close();
  folder.remove();
});

const writes = () =>
  store.accept(
    cloud,
    [{ kind: "message", message: message({ sender: { ...nobody, phone: ada }, text: "hello" }) }],
    everybody,
  );

test("a store that cannot be read is said so, beside all that is known without it", async () => {
  await writes();
  const read = spyOn(store, "counts").mockImplementation(() => {
    throw Object.assign(new Error("database disk image is malformed"), { errcode: 11 });
  });
  expect(await api.status()).toMatchObject({
    channels: [{ state: "ready", last_inbound_at: null }],
    inbox: { pending: 0 },
    alarms: [
      {
        source: "store.read",
        code: "damaged",
        hint: "The store cannot be read: it is damaged (database disk image is malformed); see revka doctor",
      },
    ],
  });
  read.mockRestore();
  expect(await api.status()).toMatchObject({ inbox: { pending: 1 }, alarms: [] });
});

test("the status of an account whose sending is held is not ready, whatever the channel thinks", async () => {
  expect((await api.status()).channels).toMatchObject([{ state: "ready", reason: null }]);
  channel.answers = [{ ok: false, failure: expired }];
  await api.send({ to: ada, text: "x" });
  await settle();
  expect((await api.status()).channels).toMatchObject([
    {
      state: "disconnected",
      reason: "sending is held (190): the token has expired",
      last_error: { code: "190", hint: "the token has expired" },
    },
  ]);
});

test("what was refused is told, and what is for another number with it", async () => {
  metrics.refusals.inc({ channel: "wati", reason: "not_allowed" }, 2);
  metrics.eventsIgnored.inc({ channel: "whatsapp", reason: "reaction" });
  metrics.eventsIgnored.inc({ channel: "whatsapp", reason: "other_number" });
  expect((await api.status()).refusals).toEqual([
    { channel: "wati", reason: "not_allowed", count: 2 },
    { channel: "whatsapp", reason: "other_number", count: 1 },
  ]);
});

test("the status of a channel that is not ready is its own word, also where sending is held", async () => {
  channel.answers = [{ ok: false, failure: expired }];
  await api.send({ to: ada, text: "x" });
  await settle();
  channel.status = () => ({ state: "logged_out", reason: "unlinked", linkedAs: null });
  expect((await api.status()).channels).toMatchObject([
    { state: "logged_out", reason: "unlinked" },
  ]);
});

test("the status tells one account's activity from another's, and names what is skipped", async () => {
  await writes();
  const skipped = [{ channel: "wati" as const, reason: "no token" }];
  const other = fakeChannel({ account: "2000" });
  const at = new Date(clock.now()).toISOString();
  api = operatorOver(store, clock, [channel, other], [], { skipped });
  expect((await api.status()).channels).toEqual([
    expect.objectContaining({ last_inbound_at: at, last_outbound_at: null, last_error: null }),
    expect.objectContaining({ last_inbound_at: null, last_outbound_at: null }),
    expect.objectContaining({
      channel: "wati",
      backend: null,
      state: "skipped",
      reason: "no token",
    }),
  ]);
});

test("the status carries the code of a channel that is being linked", async () => {
  const expiresAt = clock.now() + 20_000;
  const linking = { qr: "2@abc", pairCode: null, expiresAt };
  channel.status = () => ({ state: "linking", reason: null, linkedAs: null, linking });
  expect((await api.status()).channels[0]?.linking).toEqual({
    qr: "2@abc",
    pair_code: null,
    expires_at: new Date(expiresAt).toISOString(),
  });
});

test("the status counts what waits and since when", async () => {
  expect(await api.status()).toMatchObject({
    inbox: { pending: 0, oldest_age_seconds: null },
    outbox: { pending: 0, failed: 0, unconfirmed: 0, oldest_age_seconds: null },
  });
  await api.pause({ chat: ada });
  await writes();
  channel.answers = [new Promise(() => {})];
  await api.send({ to: "+15550002222", text: "x" });
  await clock.advance(7_400);
  let checked = 0;
  const {
    inbox,
    outbox: waiting,
    daemon,
  } = await operatorOver(store, clock, [channel], [], {
    checkStore: async () => void checked++,
    uptime: () => 61_400,
  }).status();
  expect(checked).toBe(1);
  expect(inbox).toEqual({ pending: 1, oldest_age_seconds: 7 });
  expect(waiting).toEqual({ pending: 1, failed: 0, unconfirmed: 0, oldest_age_seconds: 7 });
  expect(daemon).toEqual({ running: true, pid: process.pid, uptime_seconds: 61 });
});

test("the status of a clock that was set back knows no age below nothing", async () => {
  await api.pause({ chat: ada });
  await writes();
  clock = fakeClock(clock.now() - hour);
  expect((await operatorOver(store, clock, [channel]).status()).inbox).toEqual({
    pending: 1,
    oldest_age_seconds: 0,
  });
});

test("the status counts the windows that are closed", async () => {
  await writes();
  expect((await api.status()).closed_windows).toBe(0);
  await clock.advance(24 * hour + 1);
  expect((await api.status()).closed_windows).toBe(1);
});
