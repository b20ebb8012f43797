import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { join } from "node:path";
import type { SendFailure } from "../../src/channels/message.ts";
import type { ControlApi } from "../../src/control/api.ts";
import type { ConversationStore } from "../../src/store/contract.ts";
import { fakeChannel, type FakeChannel } from "../support/channel.ts";
import { fakeClock, type FakeClock } from "../support/clock.ts";
import { operatorOver } from "../support/operator.ts";
import { settle } from "../support/settle.ts";
import { cloud, everybody, message, nobody, storeAt, temporaryFolder } from "../support/store.ts";

const hour = 60 * 60 * 1000;
const ada = "+15550001111";
const refused: SendFailure = { retry: "no", afterMs: null, code: "131026", hint: "no such number" };
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
let asked: string[];
let api: ControlApi;

beforeEach(() => {
  clock = fakeClock();
  folder = temporaryFolder();
  store = storeAt(join(folder.path, "revka.db"), clock);
  channel = fakeChannel();
  asked = [];
  api = operatorOver(store, clock, [channel], asked);
});
afterEach(() => {
  store.close();
  folder.remove();
});

const wati = () => fakeChannel({ name: "wati", backend: "wati", account: "w" });
const writes = () =>
  store.accept(
    cloud,
    [{ kind: "message", message: message({ sender: { ...nobody, phone: ada }, text: "hello" }) }],
    everybody,
  );

describe("sending", () => {
  test("is answered at once, or when the deliveries have ended", async () => {
    const unwaited = await api.send({ to: ada, text: "one" });
    expect(unwaited.deliveries).toMatchObject([
      { state: "pending", platform_id: null, code: null, hint: null },
    ]);
    await settle();
    const waited = api.send({ to: ada, text: "two", wait_ms: 1000 });
    await settle();
    await clock.advance(25);
    expect((await waited).deliveries).toMatchObject([
      { state: "sent", platform_id: expect.stringContaining("wamid.out."), code: null, hint: null },
    ]);
    expect(channel.sent.map(({ content }) => content)).toMatchObject([
      { kind: "text", text: "one" },
      { kind: "text", text: "two" },
    ]);
  });

  test("waits no longer than it was asked to", async () => {
    channel.answers = [new Promise(() => {})];
    let ended = false;
    const waited = api.send({ to: ada, text: "slow", wait_ms: 100 }).finally(() => (ended = true));
    await settle();
    await clock.advance(99);
    expect(ended).toBe(false);
    await clock.advance(25);
    expect((await waited).deliveries).toMatchObject([{ state: "sending" }]);
  });

  test("says why a delivery failed", async () => {
    channel.answers = [{ ok: false, failure: refused }];
    const waited = api.send({ to: ada, text: "x", wait_ms: 1000 });
    await settle();
    await clock.advance(25);
    expect((await waited).deliveries).toMatchObject([
      { state: "failed", code: "131026", hint: "no such number" },
    ]);
  });

  test("says why a delivery waits: the account is held, or not ready", async () => {
    channel.answers = [{ ok: false, failure: expired }];
    channel.probing = expired;
    await api.send({ to: ada, text: "first" });
    await settle();
    expect((await api.send({ to: "+15550002222", text: "second" })).deliveries).toMatchObject([
      { state: "pending", code: "190", hint: "the token has expired" },
    ]);
    channel = fakeChannel({
      status: () => ({ state: "connecting", reason: "the network is down", linkedAs: null }),
    });
    api = operatorOver(store, clock, [channel], asked);
    expect((await api.send({ to: "+15550003333", text: "third" })).deliveries).toMatchObject([
      { state: "pending", code: "connecting", hint: "the network is down" },
    ]);
  });

  test("tells of an answer that was lost, until the delivery went again", async () => {
    const lost: SendFailure = {
      retry: "ambiguous",
      afterMs: null,
      code: "timeout",
      hint: "no answer",
    };
    channel.answers = [{ ok: false, failure: lost }];
    await api.send({ to: ada, text: "first" });
    await settle();
    const unconfirmed = async () => (await api.status()).outbox.unconfirmed;
    expect(await unconfirmed()).toBe(1);
    expect((await api.send({ to: ada, text: "second" })).deliveries).toMatchObject([
      { state: "pending", code: "unconfirmed", hint: expect.stringContaining("comes first") },
    ]);
    await clock.advance(120_000);
    await settle();
    expect(channel.sent).toHaveLength(3);
    expect(await unconfirmed()).toBe(0);
  });

  test("of nothing is refused", async () => {
    await expect(api.send({ to: ada, text: "" })).rejects.toMatchObject({ status: 400 });
  });
});

describe("outside the platform's 24 hours there is a warning", () => {
  const warned = async (to = ada) => (await api.send({ to, text: "x" })).window_warning;

  test("for who never wrote, and who wrote too long ago", async () => {
    expect(await warned()).toEndWith("ordinary messages (131047) until they do");
    await writes();
    expect(await warned()).toBeNull();
    await clock.advance(24 * hour - 1);
    expect(await warned()).toBeNull();
    await clock.advance(1);
    expect(await warned()).toMatch(/over 24 hours ago.* until they write again$/);
  });

  test("not for groups, and not on Web, which has no such window", async () => {
    expect(await warned("group:abc")).toBeNull();
    channel = fakeChannel({ backend: "web" });
    api = operatorOver(store, clock, [channel], asked);
    expect(await warned()).toBeNull();
  });
});

describe("which channel", () => {
  test("need not be said where one runs", async () => {
    await api.send({ to: ada, text: "x" });
    await expect(api.send({ to: ada, text: "x", channel: "wati" })).rejects.toMatchObject({
      status: 404,
      message: "the channel wati is not running",
    });
  });

  test("has to be said where two run", async () => {
    api = operatorOver(store, clock, [channel, wati()]);
    for (const act of [
      () => api.send({ to: ada, text: "x" }),
      () => api.pause({ chat: ada }),
      () => api.resume({ chat: ada }),
    ]) {
      await expect(act()).rejects.toMatchObject({
        status: 400,
        message: "whatsapp and wati are running: say which with --channel",
      });
    }
    await api.pause({ chat: ada, channel: "wati" });
    expect(store.pausedChats().map((chat) => chat.source.channel)).toEqual(["wati"]);
  });

  test("cannot be said where none runs", async () => {
    api = operatorOver(store, clock, []);
    await expect(api.send({ to: ada, text: "x" })).rejects.toMatchObject({
      status: 404,
      message: "no channel is running",
    });
  });
});

test("a paused chat has no turns until it is resumed, which takes up what waits", async () => {
  expect(await api.pause({ chat: ada })).toEqual({ changed: true });
  expect(await api.pause({ chat: ada })).toEqual({ changed: false });
  await writes();
  expect((await api.status()).paused_chats).toEqual([{ channel: "whatsapp", chat_id: ada }]);
  expect(await api.resume({ chat: ada })).toEqual({ changed: true });
  await settle();
  expect(asked).toEqual(["hello"]);
  expect(await api.resume({ chat: ada })).toEqual({ changed: false });
  expect((await api.status()).paused_chats).toEqual([]);
});

test("a paused group has a name that resume takes", async () => {
  await api.pause({ chat: "group:ABC" });
  const [paused] = (await api.status()).paused_chats;
  expect(paused?.chat_id).toBe("group:ABC");
  expect(await api.resume({ chat: paused?.chat_id ?? "" })).toEqual({ changed: true });
});

test("a failed delivery is sent anew, and no other", async () => {
  channel.answers = [{ ok: false, failure: refused }];
  await api.send({ to: ada, text: "once more" });
  await settle();
  const [failed] = (await api.status()).failed_deliveries;
  expect(failed).toMatchObject({ channel: "whatsapp", code: "131026", hint: "no such number" });
  const id = failed?.id ?? "";
  await api.redeliver(id);
  await settle();
  expect(channel.sent).toHaveLength(2);
  expect(store.delivery(id)?.state).toBe("sent");
  for (const other of [id, "unknown"]) {
    await expect(api.redeliver(other)).rejects.toMatchObject({ status: 404 });
  }
  expect(channel.sent).toHaveLength(2);
});

test("only a Web channel can be linked anew", async () => {
  await expect(api.relink()).rejects.toMatchObject({ status: 409 });
  let linked = 0;
  const web = fakeChannel({ backend: "web", relink: async () => void linked++ });
  await operatorOver(store, clock, [wati(), web]).relink();
  expect(linked).toBe(1);
});
