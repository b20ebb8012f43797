import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWAMessage } from "@whiskeysockets/baileys";
import { NotAccepted } from "../../../src/channels/channel.ts";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { Session } from "../../../src/channels/whatsapp-web/session.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { type Logger, silentLog } from "../../../src/telemetry/log.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

const ADA = "491700000001@s.whatsapp.net";
let folder: string;
let clock: FakeClock;
let session: Session;
let open: Session | null;
let ingress: Ingress;
/** What was offered to the inside, one entry a time; and what it answers. */
let offered: InboundEvent[][];
let answer: (events: InboundEvent[]) => void | Promise<void>;
let pauses: unknown[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-ingress-"));
  clock = fakeClock();
  open = session = openSession();
  [offered, pauses, answer] = [[], [], () => {}];
  const log: Logger = {
    ...silentLog,
    warn: (fields) => void pauses.push(fields["pause_ms"]),
  };
  ingress = new Ingress({
    session: () => open,
    deliver: async (events) => {
      offered.push(events);
      await answer(events);
    },
    clock,
    log,
  });
});
afterEach(async () => {
  await ingress.stop();
  session.close();
  rmSync(folder, { recursive: true, force: true });
});

const openSession = () =>
  Session.open({ path: join(folder, "s.db"), env: {} }, clock, {
    onReceived: () => {},
    onMappings: () => {},
  });

/** Decrypted, on disk and known, as the repository does it with what came over the socket. */
async function receive(...texts: string[]): Promise<void> {
  const writes = texts.map(async (text) => {
    const attributes = { id: `id ${text}`, from: ADA, t: "1700000000" };
    const part = { part: text, stanza: text, parts: 1, attributes };
    const plaintext = encodeWAMessage({ conversation: text });
    await session.write(() => session.journal.put(part, plaintext, clock.now()));
    session.journal.open.add(part, plaintext);
  });
  await Promise.all(writes);
}
const texts = (events: InboundEvent[]) =>
  events.map((event) => (event.kind === "message" ? event.message.text : event.kind));
const waiting = () => session.journal.pending(100).map(({ stanza }) => stanza);
const refuse = (reason: "store" | "overloaded", retryAfterSecs = 0) => {
  throw new NotAccepted(reason, retryAfterSecs, "not now");
};

test("what the disk does not give for now is handed over later, and nothing with it is lost", async () => {
  await receive("one", "two");
  const refused = () => {
    throw Object.assign(new Error("disk I/O error"), { errcode: 10 });
  };
  const reads = spyOn(session.sent, "has")
    .mockImplementationOnce(refused)
    .mockImplementationOnce(refused);
  ingress.wake();
  await ingress.settled();
  ingress.learnt({ "491700000001": "900491700000001" });
  await clock.advance(500);
  await ingress.settled();
  expect(reads).toHaveBeenCalledTimes(2);
  expect([offered, waiting()]).toEqual([[], ["one", "two"]]);
  await clock.advance(60_000);
  await ingress.settled();
  expect(offered.flatMap(texts).toSorted()).toEqual(["identity", "one", "two"]);
  expect(waiting()).toEqual([]);
});

test("what breaks the translation itself holds up no other", async () => {
  await receive("one", "two");
  spyOn(session.sent, "has").mockImplementationOnce(() => {
    throw new TypeError("a mistake");
  });
  ingress.wake();
  await ingress.settled();
  expect(offered.flatMap(texts)).toEqual(["ignored", "two"]);
});
async function woken(): Promise<void> {
  ingress.wake();
  await ingress.settled();
}
async function paused(ms: number): Promise<void> {
  await clock.advance(ms);
  await ingress.settled();
}

test("what came is handed over in order, and once", async () => {
  await receive("one", "two");
  await woken();
  await woken();
  expect(offered.map(texts)).toEqual([["one", "two"]]);
  expect(waiting()).toEqual([]);
});

test("when the messages of its chat disappear is known from what came", async () => {
  const attributes = { id: "id", from: ADA, t: "1700000000" };
  const part = { part: "one", stanza: "one", parts: 1, attributes };
  const contextInfo = { expiration: 86_400 };
  const plaintext = encodeWAMessage({ extendedTextMessage: { text: "one", contextInfo } });
  await session.write(() => session.journal.put(part, plaintext, clock.now()));
  await woken();
  expect(session.disappearing.timerOf(ADA)).toBe(86_400);
});

test("what comes while the inside takes its time is handed over next", async () => {
  await receive("one");
  const taken = Promise.withResolvers<void>();
  answer = () => taken.promise;
  ingress.wake();
  await receive("two");
  ingress.wake();
  expect(offered.map(texts)).toEqual([["one"]]);
  taken.resolve();
  await ingress.settled();
  expect(offered.map(texts)).toEqual([["one"], ["two"]]);
});

test("what comes at the very end of a look that found nothing is handed over", async () => {
  ingress.wake();
  ingress.aside({ kind: "ignored", reason: "call" });
  await clock.advance(0);
  await ingress.settled();
  expect(offered.map(texts)).toEqual([["ignored"]]);
});

describe("refused", () => {
  test("it waits on the disk, and comes again after a pause that grows and is short again afterwards", async () => {
    await receive("one");
    answer = () => refuse("store");
    await woken();
    for (const ms of [500, 1000, 2000]) {
      const times = offered.length;
      await paused(ms - 1);
      expect(offered).toHaveLength(times);
      expect(waiting()).toEqual(["one"]);
      await paused(1);
      expect(offered).toHaveLength(times + 1);
    }
    answer = () => {};
    await paused(4000);
    expect(waiting()).toEqual([]);
    expect(new Set(offered.flatMap(texts))).toEqual(new Set(["one"]));
    answer = () => refuse("store");
    await receive("two");
    await woken();
    expect(pauses).toEqual([500, 1000, 2000, 4000, 500]);
  });

  test("it waits as long as the inside wishes, but half a minute at most", async () => {
    await receive("one");
    answer = () => refuse("store", 7);
    await woken();
    answer = () => refuse("store", 3600);
    await paused(7000);
    expect(pauses).toEqual([7000, 30_000]);
    answer = () => {
      throw new Error("a fault inside");
    };
    for (let times = 0; times < 12; times++) await paused(30_000);
    expect(pauses.slice(-2)).toEqual([30_000, 30_000]);
  });

  test("nothing new is handed over in the pause, nothing is overtaken", async () => {
    await receive("one");
    answer = () => refuse("store");
    await woken();
    await receive("two");
    await woken();
    expect(offered.map(texts)).toEqual([["one"]]);
    answer = () => {};
    await paused(500);
    expect(offered.map(texts)).toEqual([["one"], ["one", "two"]]);
  });

  test("what is no message comes again too, before what came later", async () => {
    answer = () => refuse("store");
    ingress.aside({ kind: "ignored", reason: "call" });
    await ingress.settled();
    ingress.aside({ kind: "account", number: "+15550001000" });
    answer = () => {};
    await paused(500);
    expect(offered.map(texts)).toEqual([["ignored"], ["ignored", "account"]]);
  });

  test("as overloaded, more is offered, so that one chat holds up no other; then as few as before", async () => {
    const many = (name: string) => Array.from({ length: 120 }, (_, index) => `${name} ${index}`);
    await receive(...many("a"));
    answer = () => refuse("overloaded");
    await woken();
    await paused(500);
    answer = () => {};
    await paused(1000);
    expect(offered.map(({ length }) => length)).toEqual([50, 100, 120]);
    await receive(...many("b"));
    await woken();
    expect(offered.slice(3).map(({ length }) => length)).toEqual([50, 50, 20]);
  });

  test("as overloaded over and over, no more than 6400 are offered at once", async () => {
    await receive("one");
    const asked = spyOn(session.journal, "pending");
    answer = () => refuse("overloaded");
    await woken();
    for (let times = 0; times < 8; times++) await paused(30_000);
    const limits = new Set(asked.mock.calls.map(([limit]) => limit));
    expect([...limits]).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400]);
  });
});

test("what was handed over and could not be noted as such comes again", async () => {
  await woken();
  await receive("one");
  answer = () => {
    session.commit.stage({ changes: [], alongside: [() => refuse("store")] });
    answer = () => {};
  };
  await woken();
  expect(waiting()).toEqual(["one"]);
  await paused(500);
  expect(offered.map(texts)).toEqual([["one"], ["one"]]);
  expect(waiting()).toEqual([]);
});

test("what cannot be read holds up no other, and is not tried for ever", async () => {
  await receive("one", "two", "three");
  session.sent.has = (id) => {
    if (id === "id two") throw new Error("damaged");
    return false;
  };
  await woken();
  expect(offered.map(texts)).toEqual([["one", "ignored", "three"]]);
  expect(waiting()).toEqual([]);
});

test("only what lay there before the start is backlog", async () => {
  const backlog = () =>
    offered.flat().flatMap((event) => (event.kind === "message" ? [event.message.backlog] : []));
  await receive("before");
  await woken();
  await receive("after");
  await woken();
  expect(backlog()).toEqual([true, false]);
});

describe("stopped", () => {
  test("it waits for what is being handed over, and takes up nothing more", async () => {
    await receive("one");
    const taken = Promise.withResolvers<void>();
    answer = () => taken.promise;
    ingress.wake();
    let stopped = false;
    const stopping = ingress.stop().then(() => (stopped = true));
    await receive("two");
    expect(stopped).toBe(false);
    taken.resolve();
    await stopping;
    await woken();
    expect(offered.map(texts)).toEqual([["one"]]);
    expect(waiting()).toEqual(["two"]);
  });

  test("in a pause, it leaves no timer behind", async () => {
    const before = clock.pending;
    await receive("one");
    answer = () => refuse("store");
    await woken();
    expect(clock.pending).toBe(before + 1);
    await ingress.stop();
    expect(clock.pending).toBe(before);
  });
});

describe("left by the session before", () => {
  const left: InboundEvent = { kind: "account", number: "+15550001000" };

  test("it is handed over first, and once, also after a restart", async () => {
    session.inherit({ number: null, events: [left] });
    await receive("one");
    answer = () => refuse("store");
    await woken();
    answer = () => {};
    await paused(500);
    await woken();
    expect(offered.map(texts)).toEqual([
      ["account", "one"],
      ["account", "one"],
    ]);
    session.close();
    open = session = openSession();
    expect(session.inherited).toEqual([]);
  });

  test("it is handed over also where nothing else is there", async () => {
    session.inherit({ number: null, events: [left] });
    await woken();
    expect(offered.map(texts)).toEqual([["account"]]);
  });

  test("what nobody takes is left on with what came since, without what was only counted", async () => {
    session.inherit({ number: null, events: [left, { kind: "ignored", reason: "call" }] });
    await receive("one");
    const { events } = ingress.legacyOf(session);
    expect(texts(events)).toEqual(["account", "one"]);
    expect(events.at(-1)).toMatchObject({ message: { backlog: true } });
  });
});

test("without a session, what is no message is handed over all the same", async () => {
  open = null;
  ingress.aside({ kind: "ignored", reason: "call" });
  await ingress.settled();
  expect(offered.map(texts)).toEqual([["ignored"]]);
});

test("a LID that is learnt is told with its number", async () => {
  ingress.learnt({ "491700000001": "900", "900_reverse": "491700000001" });
  await ingress.settled();
  const sender = { phone: "+491700000001", lid: "900@lid", userId: null, username: null };
  expect(offered).toEqual([
    [
      {
        kind: "identity",
        sender: { ...sender, name: null },
        previousUserId: null,
        previousPhone: null,
      },
    ],
  ]);
});
