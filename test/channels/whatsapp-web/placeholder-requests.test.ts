import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createCaches } from "../../../src/channels/whatsapp-web/caches.ts";
import { PlaceholderRequests } from "../../../src/channels/whatsapp-web/placeholder-requests.ts";
import { partOf } from "../../../src/channels/whatsapp-web/placeholder.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

// When the phone is asked for a message that came without content.

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const ADA = "491700000001@s.whatsapp.net";

let folder: string;
let clock: FakeClock;
let session: Session;
let caches: ReturnType<typeof createCaches>;
let requests: PlaceholderRequests | undefined;
/** Whose content was asked for. */
let asked: string[];
let answer: () => Promise<unknown>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-requests-"));
  clock = fakeClock();
  session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  caches = createCaches(clock);
  [asked, answer, requests] = [[], async () => {}, undefined];
});
afterEach(() => {
  requests?.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

async function withoutContent(...ids: string[]): Promise<void> {
  for (const id of ids) {
    const attributes = { id, from: ADA, t: "1700000000" };
    const placeholder = { part: partOf(attributes), attributes };
    await session.write(() => session.journal.putPlaceholder(placeholder, clock.now()));
  }
}

/** Logged in, after whatever was before. */
function connect(): void {
  requests?.stop();
  requests = new PlaceholderRequests({
    ...{ session, asked: caches.asked, clock, log: silentLog },
    ask: ({ id }) => {
      asked.push(id ?? "");
      return answer();
    },
  });
  requests.start();
}

/** How often the phone was asked within this time. */
async function askedWithin(ms: number): Promise<number> {
  asked = [];
  await clock.advance(ms);
  return asked.length;
}

test("soon after the login, and until it answers at growing pauses", async () => {
  await withoutContent("M1");
  connect();
  expect(await askedWithin(11 * SECOND)).toBe(0);
  expect(await askedWithin(SECOND)).toBe(1);
  expect(await askedWithin(11 * MINUTE)).toBe(1);
  expect(await askedWithin(35 * MINUTE)).toBe(0);
  expect(await askedWithin(6 * MINUTE)).toBe(1);
  await clock.advance(30 * HOUR);
  expect(await askedWithin(24 * HOUR)).toBeLessThanOrEqual(1);
});

test("a phone that never answers is asked a dozen times, and then no more", async () => {
  await withoutContent("M1");
  connect();
  expect(await askedWithin(8 * 24 * HOUR)).toBeLessThanOrEqual(12);
  expect(asked.length).toBeGreaterThan(5);
  expect(await askedWithin(8 * 24 * HOUR)).toBe(0);
  expect(session.journal.placeholders()).toEqual([]);
});

test("however often the connection is made anew, it is asked no more often", async () => {
  await withoutContent("M1");
  let times = 0;
  for (let minute = 0; minute < 45; minute++) {
    connect();
    times += await askedWithin(MINUTE);
  }
  expect(times).toBe(2);
});

test("not for what has arrived, and not over a connection that is gone", async () => {
  await withoutContent("M1", "M2");
  connect();
  session.journal.dropPlaceholder(partOf({ id: "M1", from: ADA }));
  await clock.advance(12 * SECOND);
  expect(asked).toEqual(["M2"]);
  requests?.stop();
  // What prunes the session is left.
  expect(clock.pending).toBe(1);
  expect(await askedWithin(24 * HOUR)).toBe(0);
});

test("where the session cannot be read just now, in the next round", async () => {
  await withoutContent("M1");
  const unreadable = spyOn(session.journal, "placeholders").mockImplementation(() => {
    throw new Error("I/O error");
  });
  connect();
  expect(await askedWithin(MINUTE)).toBe(0);
  unreadable.mockRestore();
  expect(await askedWithin(10 * MINUTE)).toBe(1);
});

test("for one that came meanwhile, in the next round", async () => {
  connect();
  await clock.advance(MINUTE);
  await withoutContent("M1");
  expect(await askedWithin(10 * MINUTE)).toBe(1);
});

test("for fifty at a time, the oldest first", async () => {
  const ids = Array.from({ length: 120 }, (_, index) => `M${index}`);
  await withoutContent(...ids);
  connect();
  const rounds: string[][] = [];
  for (const ms of [12 * SECOND, 10 * MINUTE, 10 * MINUTE]) {
    await askedWithin(ms);
    // Each is waited for.
    for (let turn = 0; turn < 200; turn++) await Promise.resolve();
    rounds.push([...asked]);
  }
  expect(rounds[0]).toEqual(ids.slice(0, 50));
  expect(new Set(rounds.flat()).size).toBeGreaterThanOrEqual(100);
});

test("one that could not be asked for is asked for again, and holds up no other", async () => {
  await withoutContent("M1", "M2");
  answer = async () => {
    if (asked.at(-1) === "M1") throw new Error("cut off");
  };
  connect();
  await clock.advance(12 * SECOND);
  expect(asked).toEqual(["M1", "M2"]);
  connect();
  asked = [];
  await clock.advance(12 * SECOND);
  expect(asked).toEqual(["M1"]);
});

test("a request that hangs holds up the others for half a minute", async () => {
  await withoutContent("M1", "M2");
  answer = () => new Promise(() => {});
  connect();
  await clock.advance(12 * SECOND);
  expect(asked).toEqual(["M1"]);
  await clock.advance(30 * SECOND);
  expect(asked).toEqual(["M1", "M2"]);
});

test("for nothing more where the connection ends while the phone is asked", async () => {
  await withoutContent("M1", "M2");
  answer = async () => requests?.stop();
  connect();
  await clock.advance(HOUR);
  expect(asked).toEqual(["M1"]);
  // What prunes the session is left.
  expect(clock.pending).toBe(1);
});
