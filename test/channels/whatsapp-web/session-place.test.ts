import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { InboundEvent } from "../../../src/channels/message.ts";
import { SessionPlace } from "../../../src/channels/whatsapp-web/session-place.ts";
import { Ingress } from "../../../src/channels/whatsapp-web/socket.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import { type FakeClock, fakeClock } from "../../support/clock.ts";

let folder: string;
let clock: FakeClock;
let place: SessionPlace;
let ingress: Ingress;
/** What was offered to the inside; and when it answers. */
let offered: InboundEvent[];
let answered: Promise<void>;

const placeAt = (path: string | undefined) =>
  new SessionPlace({
    ...{ path, env: {}, clock, log: silentLog },
    hooks: { onReceived: () => {}, onMappings: () => {} },
  });
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-place-"));
  clock = fakeClock();
  place = placeAt(join(folder, "s.db"));
  [offered, answered] = [[], Promise.resolve()];
  ingress = new Ingress({
    session: () => place.session,
    deliver: (events) => {
      offered.push(...events);
      return answered;
    },
    ...{ clock, log: silentLog },
  });
});
afterEach(() => {
  place.close();
  rmSync(folder, { recursive: true, force: true });
});

const left: InboundEvent = { kind: "account", number: "+15550001000" };
const aside = () => readdirSync(folder).filter((name) => name.includes(".logged-out-"));

describe("the session that is open", () => {
  test("is one, until it is closed", () => {
    expect(() => place.opened).toThrow("no WhatsApp session is open");
    const session = place.open();
    expect([place.open(), place.opened]).toEqual([session, session]);
    place.close();
    expect(place.session).toBeNull();
    expect(place.open()).not.toBe(session);
  });

  test("needs a place", () => {
    expect(() => placeAt(undefined).open()).toThrow("session_path is not set");
  });
});

describe("set aside", () => {
  test("a session leaves its place, and none follows where nothing was left", async () => {
    expect(await place.setAside(null)).toBe(false);
    place.open();
    expect(await place.setAside(ingress)).toBe(true);
    expect(place.session).toBeNull();
    expect(aside()).toHaveLength(1);
  });

  test("what it was handing over goes first", async () => {
    place.open().inherit({ number: null, events: [left] });
    const { promise, resolve } = Promise.withResolvers<void>();
    answered = promise;
    ingress.wake();
    const gone = place.setAside(ingress);
    expect(aside()).toEqual([]);
    resolve();
    expect(await gone).toBe(true);
    expect(place.session).toBeNull();
    expect(offered).toEqual([left]);
  });

  test("what nobody takes within 5 s is left to the next, and offered at once", async () => {
    const session = place.open();
    session.saveCredentials();
    session.inherit({ number: null, events: [left] });
    answered = new Promise(() => {});
    ingress.wake();
    const wake = spyOn(ingress, "wake");
    const gone = place.setAside(ingress);
    await clock.advance(4999);
    expect(place.session).toBe(session);
    await clock.advance(1);
    expect(await gone).toBe(true);
    expect(place.opened.creds.signedIdentityKey).not.toEqual(session.creds.signedIdentityKey);
    expect(place.opened.inherited).toEqual([left]);
    expect(wake).toHaveBeenCalledTimes(1);
    expect(aside()).toHaveLength(1);
  });

  test("asked for twice, it leaves once", async () => {
    place.open();
    const both = await Promise.all([place.setAside(ingress), place.setAside(ingress)]);
    expect(both.toSorted()).toEqual([false, true]);
    expect(aside()).toHaveLength(1);
  });

  test.each([true, false])(
    "one that has to stay is told of, and open again where it can be: %p",
    async (opens) => {
      const session = place.open();
      const leave = spyOn(session, "leave").mockImplementation(() => {
        if (opens) session.close();
        throw new Error("read-only file system");
      });
      const wake = spyOn(ingress, "wake");
      const gone = place.setAside(ingress);
      const told = { code: "unusable", message: expect.stringContaining("`revka relink`") };
      expect(await gone.catch((error: unknown) => error)).toMatchObject(told);
      expect(place.session !== null).toBe(opens);
      expect(place.session).not.toBe(session);
      expect(wake).toHaveBeenCalledTimes(1);
      leave.mockRestore();
      if (!opens) session.close();
    },
  );
});
