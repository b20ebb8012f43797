import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

// What is handed over without a journal: receipts, identities, what is only counted.

let folder: string;
let clock: FakeClock;
let session: Session;
let ingress: Ingress;
let offered: string[][];
let answer: () => Promise<void>;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-asides-"));
  clock = fakeClock();
  session = Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });
  [offered, answer] = [[], async () => {}];
  const deliver = async (events: InboundEvent[]) => {
    offered.push(events.map((event) => (event.kind === "ignored" ? event.reason : event.kind)));
    await answer();
  };
  ingress = new Ingress({ session: () => session, deliver, clock, log: silentLog });
});
afterEach(async () => {
  await ingress.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

const hear = (...reasons: string[]) => {
  for (const reason of reasons) ingress.aside({ kind: "ignored", reason });
};
const numbered = (first: number, count: number) =>
  Array.from({ length: count }, (_, index) => `${first + index}`);

test("of what waits, the latest thousand are kept, also those that are refused over and over", async () => {
  let refusals = 0;
  answer = async () => {
    await Promise.resolve();
    hear(...numbered(1000 * refusals++, 1000));
    throw new Error("not now");
  };
  hear("first");
  await ingress.settled();
  for (const pause of [500, 1000, 2000]) {
    await clock.advance(pause);
    await ingress.settled();
  }
  expect(offered.map((reasons) => reasons.length)).toEqual([1, 1000, 1000, 1000]);
  expect(offered.at(-1)).toEqual(numbered(2000, 1000));
  hear(...numbered(5000, 1500));
  await clock.advance(4000);
  expect(offered.at(-1)).toEqual(numbered(5500, 1000));
});

test("where the session cannot be read just now, nothing of it is lost", async () => {
  const unreadable = spyOn(session.journal, "pending").mockImplementation(() => {
    throw new Error("I/O error");
  });
  hear("call");
  await ingress.settled();
  expect(offered).toEqual([]);
  unreadable.mockRestore();
  await clock.advance(500);
  await ingress.settled();
  expect(offered).toEqual([["call"]]);
});
