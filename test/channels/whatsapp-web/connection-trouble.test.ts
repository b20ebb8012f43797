import { describe, expect, test } from "bun:test";
import { Unready } from "../../../src/channels/whatsapp-web/connection.ts";
import { PASSKEY_ADVICE, UNTOLD } from "../../../src/channels/whatsapp-web/disconnect.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { opened, setup } from "./connection-harness.ts";

async function started(overrides: Parameters<typeof setup>[0] = {}) {
  const s = setup(overrides);
  s.connection.start();
  await s.settle();
  return s;
}

test("a connection that is deaf is given up, and another opened", async () => {
  const s = await opened();
  s.world.pong = () => new Promise(() => {});
  await s.clock.advance(30_000);
  expect(s.connection.status).toEqual({
    state: "disconnected",
    reason: "no answer from WhatsApp in time; next try in 3 s",
  });
  expect(s.last().ended).toBe(true);
  await s.clock.advance(3_000);
  expect(s.sockets).toHaveLength(2);
});

test("a link is forgotten for nothing but a login that WhatsApp does not know", async () => {
  const s = await opened();
  for (const code of [503, 515, 408, 428, 500, 405, 402]) {
    s.last().events.ended(code);
    await s.clock.advance(3_600_000);
    s.last().events.opened();
  }
  s.record.linked = false;
  for (const code of [503, 515, 408, 428, 500]) {
    s.last().events.ended(code);
    await s.clock.advance(3_600_000);
  }
  expect(s.record).toMatchObject({ forgotten: 0, loggedOut: 0 });
});

describe("how long it stays away", () => {
  const pause = (s: Awaited<ReturnType<typeof opened>>) => s.connection.status.reason;

  test("as long as a ban lasts, an hour where it is not said; of the next nothing is known", async () => {
    const s = await opened();
    s.last().events.expires(7_200);
    s.last().events.ended(402);
    expect(pause(s)).toEndWith("for a while; next try in 7200 s");
    await s.clock.advance(7_199_999);
    expect(s.sockets).toHaveLength(1);
    await s.clock.advance(1);
    expect(s.sockets).toHaveLength(2);
    s.last().events.ended(402);
    expect(pause(s)).toEndWith("next try in 3600 s");
  });

  test("a minute, where WhatsApp asks for fewer connections", async () => {
    const s = await opened();
    s.last().events.ended(429);
    expect(pause(s)).toEndWith("(429); next try in 60 s");
  });

  test("the shortest time anew, once a person has started it again", async () => {
    const s = await opened();
    for (const secs of [3, 6, 12]) {
      s.last().events.ended(503);
      expect(pause(s)).toEndWith(`next try in ${secs} s`);
      await s.clock.advance(secs * 1000);
    }
    s.connection.start();
    await s.settle();
    s.last().events.ended(503);
    expect(pause(s)).toEndWith("next try in 3 s");
  });

  test("no time, for a restart that WhatsApp asks for, until it keeps asking", async () => {
    const s = await opened();
    const restarts = async (times: number) => {
      for (let done = 0; done < times; done++) {
        s.last().events.ended(515);
        await s.settle();
      }
    };
    await restarts(3);
    expect(s.connection.status).toEqual({
      state: "connecting",
      reason: "WhatsApp asked for a new connection",
    });
    await restarts(1);
    expect(pause(s)).toBe("WhatsApp keeps asking for a restart; next try in 3 s");
    s.connection.start();
    await s.settle();
    await restarts(3);
    expect(s.connection.status.state).toBe("connecting");
  });
});

describe("whether it may come back soon", () => {
  test("is so while it is opened or waits for its turn, and not otherwise", async () => {
    const s = setup();
    const { connection } = s;
    const soon = [connection.comingBack];
    connection.start();
    soon.push(connection.comingBack);
    await s.settle();
    soon.push(connection.comingBack);
    s.last().events.opened();
    soon.push(connection.comingBack);
    s.last().events.ended(503);
    soon.push(connection.comingBack);
    connection.stop("stopped");
    soon.push(connection.comingBack);
    expect(soon).toEqual([false, true, true, false, true, false]);
  });
});

describe("a stop", () => {
  test("ends the socket and all that waits, and is told with its reason", async () => {
    const heard: (string | null)[] = [];
    let hear = () => {};
    const s = await opened({ onChange: () => hear() });
    hear = () => void heard.push(s.connection.status.reason);
    s.connection.stop("linking anew");
    expect(s.connection.status).toEqual({ state: "disconnected", reason: "linking anew" });
    expect([s.last().ended, s.clock.pending]).toEqual([true, 0]);
    expect(heard).toEqual(["linking anew"]);
    s.last().events.opened();
    expect(s.connection.status.state).toBe("disconnected");
  });

  test("ends the question for the version; the next is asked afresh", async () => {
    const signals: AbortSignal[] = [];
    const s = setup({
      findVersion: async (signal) => {
        signals.push(signal);
        return [2, 3000, 1];
      },
    });
    s.connection.start();
    s.connection.stop("stopped");
    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    await s.settle();
    s.connection.start();
    await s.settle();
    s.last().events.ended(405);
    await s.clock.advance(3_000);
    expect(signals.at(-1)?.aborted).toBe(false);
  });

  test("while all is made ready opens nothing", async () => {
    const ready = Promise.withResolvers<void>();
    const s = await started({ prepare: () => ready.promise });
    s.connection.stop("stopped");
    ready.resolve();
    await s.settle();
    expect(s.sockets).toEqual([]);
    expect(s.connection.status.reason).toBe("stopped");
  });

  test("while the session is put aside is not overwritten by it", async () => {
    const aside = Promise.withResolvers<void>();
    const s = await opened({ onLoggedOut: () => aside.promise });
    s.last().events.ended(401);
    s.connection.stop("stopped");
    aside.resolve();
    await s.settle();
    expect(s.connection.status).toEqual({ state: "disconnected", reason: "stopped" });
  });
});

test("started twice, one socket lives", async () => {
  const s = await opened();
  s.connection.start();
  expect(s.connection.status).toEqual({ state: "connecting", reason: "connecting to WhatsApp" });
  await s.settle();
  expect(s.sockets.map(({ ended }) => ended)).toEqual([true, false]);
});

describe("what must be done before a socket", () => {
  test("is done before it is opened", async () => {
    const ready = Promise.withResolvers<void>();
    const s = await started({ prepare: () => ready.promise });
    expect(s.sockets).toEqual([]);
    ready.resolve();
    await s.settle();
    expect(s.sockets).toHaveLength(1);
  });

  test.each<[string, Error, string]>([
    ["says why it is not", new Unready(UNTOLD), "the store does not take anything"],
    ["may fail in another way", new Error("odd"), "the connection to WhatsApp ended (500)"],
  ])("%s, and is tried again", async (_, error, reason) => {
    let fails = true;
    const s = await started({
      prepare: async () => {
        if (fails) throw error;
      },
    });
    expect(s.sockets).toEqual([]);
    expect(s.connection.status.reason).toStartWith(reason);
    fails = false;
    await s.clock.advance(3_000);
    expect(s.sockets).toHaveLength(1);
  });
});

describe("a code to link with", () => {
  test("that is cut off by trouble is not called untaken", async () => {
    const s = await started();
    s.record.linked = false;
    s.last().events.qr("code");
    s.last().events.ended(503);
    expect(s.connection.status.reason).toContain("(503)");
    await s.clock.advance(3_000);
    s.last().events.ended(408);
    expect(s.connection.status.reason).toStartWith("no answer from WhatsApp in time");
  });

  const byCode = async () => {
    const s = await started({ byCode: true });
    s.record.linked = false;
    return s;
  };

  test("to type in is good for 160 s", async () => {
    const s = await byCode();
    s.last().events.qr("first");
    await s.settle();
    expect(s.connection.status.linking?.expiresAt).toBe(s.clock.now() + 160_000);
  });

  test.each(["comes", "fails"])(
    "to type in that %s only after a stop changes nothing",
    async (how) => {
      const s = await byCode();
      const code = Promise.withResolvers<string>();
      s.world.pairCode = () => code.promise;
      s.last().events.qr("first");
      s.connection.stop("stopped");
      if (how === "comes") code.resolve("ABCD1234");
      else code.reject(new Error("closed"));
      await s.settle();
      expect(s.connection.status).toEqual({ state: "disconnected", reason: "stopped" });
      expect(s.clock.pending).toBe(0);
    },
  );

  test("to type in that cannot be got is asked for again", async () => {
    const s = await byCode();
    s.world.pairCode = () => Promise.reject(new Error("refused"));
    s.last().events.qr("first");
    await s.settle();
    expect(s.connection.status.state).toBe("disconnected");
    expect(s.last().ended).toBe(true);
    await s.clock.advance(3_000);
    expect(s.sockets).toHaveLength(2);
  });

  test("to type in that is empty is none", async () => {
    const s = await byCode();
    s.world.pairCode = async () => "";
    s.last().events.qr("first");
    await s.settle();
    expect(s.connection.status.linking).toBeUndefined();
  });
});

describe("a passkey", () => {
  test("asked of a device that is linked ends nothing", async () => {
    const s = await opened();
    s.last().events.passkey();
    expect([s.connection.status.state, s.last().ended]).toEqual(["ready", false]);
    s.last().events.ended(503);
    await s.clock.advance(3_000);
    s.record.linked = false;
    s.last().events.ended(503);
    await s.clock.advance(6_000);
    expect(s.sockets).toHaveLength(3);
  });

  test("is what stands in the way of a link that is refused after it", async () => {
    const s = await opened();
    s.last().events.passkey();
    s.record.linked = false;
    s.last().events.ended(500);
    expect(s.connection.status).toEqual({ state: "disconnected", reason: PASSKEY_ADVICE });
    expect(s.connection.comingBack).toBe(false);
  });
});

test("of failures only those from the third on are warnings, until a connection was good", async () => {
  const heard: string[] = [];
  const hear = (level: string) => (fields: Record<string, unknown>) =>
    void ("pause_ms" in fields && heard.push(level));
  const log = { ...silentLog, info: hear("info"), warn: hear("warn") };
  const s = await opened({ log });
  for (let failures = 0; failures < 4; failures++) {
    s.last().events.ended(503);
    await s.clock.advance(3000 * 2 ** failures);
    s.last().events.opened();
  }
  expect(heard).toEqual(["info", "info", "warn", "warn"]);
  await s.clock.advance(60_000);
  s.last().events.ended(503);
  expect(heard.at(-1)).toBe("info");
});

describe("what waits for a person is an error, as it is shown", () => {
  test.each<[string, boolean, (s: ReturnType<typeof setup>) => void]>([
    ["a logout", true, (s) => s.last().events.ended(401)],
    ["another client", true, (s) => s.last().events.ended(440)],
    ["a passkey", false, (s) => s.last().events.passkey()],
  ])("%s", async (_, linked, happens) => {
    const errors: string[] = [];
    const log = { ...silentLog, error: (_fields: object, message: string) => errors.push(message) };
    const s = await started({ log });
    s.record.linked = linked;
    happens(s);
    await s.settle();
    expect(errors).toEqual([s.connection.status.reason ?? ""]);
  });
});
