import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { RetryRequests } from "../../../src/channels/whatsapp-web/retry-requests.ts";
import { fakeClock } from "../../support/clock.ts";
import { ADA, Traffic } from "./traffic-harness.ts";

const BOB = "447700900002@s.whatsapp.net";

describe("how often somebody is asked for what cannot be read", () => {
  const GROUP = "120363000000000001@g.us";
  let clock: ReturnType<typeof fakeClock>;
  let requests: RetryRequests;
  let exceeded: boolean;
  const manager = { hasExceededMaxRetries: (_: string) => exceeded };
  let limited: typeof manager;
  let sent = 0;
  beforeEach(() => {
    clock = fakeClock();
    requests = new RetryRequests(clock);
    limited = { ...manager };
    requests.limit(limited);
    exceeded = false;
  });
  /** Of so many messages, each of which cannot be read, how many are asked for. */
  const asked = (times: number, attrs: { from: string; participant?: string }) => {
    const ids = Array.from({ length: times }, () => `unreadable ${++sent}`);
    for (const id of ids) requests.note({ tag: "message", attrs: { id, ...attrs } });
    return ids.filter((id) => !limited.hasExceededMaxRetries(id)).length;
  };

  test("a hundred times at once, and then once a minute", async () => {
    expect(asked(300, { from: ADA })).toBe(100);
    await clock.advance(59_999);
    expect(asked(3, { from: ADA })).toBe(0);
    await clock.advance(1);
    expect(asked(3, { from: ADA })).toBe(1);
  });

  test("all devices of one together, in groups as well", () => {
    expect(asked(60, { from: GROUP, participant: ADA })).toBe(60);
    expect(asked(60, { from: GROUP, participant: ADA.replace("@", ":3@") })).toBe(40);
    expect(asked(60, { from: ADA })).toBe(0);
  });

  test("others as before", () => {
    asked(300, { from: GROUP, participant: ADA });
    expect(asked(60, { from: GROUP, participant: BOB })).toBe(60);
  });

  test("for what was asked for often enough, not at all, and it takes nothing from the rest", () => {
    exceeded = true;
    expect(asked(300, { from: ADA })).toBe(0);
    exceeded = false;
    expect(asked(100, { from: ADA })).toBe(100);
  });

  test("over all connections", () => {
    asked(100, { from: ADA });
    limited = { ...manager };
    requests.limit(limited);
    expect(asked(1, { from: ADA })).toBe(0);
  });
});

describe("many messages that cannot be read", () => {
  let t: Traffic;
  beforeEach(async () => (t = await Traffic.start()));
  afterEach(() => t.stop());

  test("hold up nobody else's, and are asked for within bounds", async () => {
    t.session.creds.me = { id: "15550001000:7@s.whatsapp.net", lid: "900015550001000:7@lid" };
    t.session.creds.account = { details: Buffer.from("details") };
    const asked = spyOn(Object(t.sock.messageRetryManager), "incrementRetryCount");
    t.reading = async () => {
      throw new Error("Bad MAC");
    };
    for (let i = 0; i < 122; i++) {
      const enc = { tag: "enc", attrs: { type: "msg", v: "2" }, content: Buffer.from(`M${i}`) };
      const attrs = { id: `M${i}`, from: i < 120 ? ADA : BOB, type: "text", t: "1700000000" };
      t.hear("CB:message", attrs, [enc]);
    }
    // The first after them is read once all was done about them.
    await t.read.waitForCount(122);
    expect(asked).toHaveBeenCalledTimes(101);
  });
});
