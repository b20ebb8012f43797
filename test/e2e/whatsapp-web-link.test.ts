import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { Recorder } from "../doubles/whatsapp-web/recorder.ts";
import { NotAccepted } from "../../src/channels/channel.ts";
import { Session } from "../../src/channels/whatsapp-web/session.ts";
import { Harness } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

const state = () => h.channel.status().state;

test("a phone links by a code of the user's own; only one code is asked for", async () => {
  h = await Harness.start({
    config: { pair_phone: "+1 (555) 000-1000", pair_code: "revk-a123" },
  });
  await h.run();
  await h.until(() => state() === "linking");
  const { linking } = h.channel.status();
  expect(linking).toMatchObject({ qr: null, pairCode: "REVKA123" });
  expect(linking?.expiresAt).toBeGreaterThan(Date.now());
  await h.owner.enterCode("REVKA123");
  await h.ready();
  expect(h.wa.links.made.all).toMatchObject([{ by: "code" }]);
  expect(h.channel.status().linkedAs).toBe("+15550001000");
});

test("an unusable code of the user's own is replaced by a generated one", async () => {
  h = await Harness.start({ config: { pair_phone: "15550001000", pair_code: "short" } });
  await h.run();
  await h.until(() => state() === "linking");
  expect(h.channel.status().linking?.pairCode).toMatch(/^[1-9A-HJ-NP-TV-Z]{8}$/);
});

test("a drop between code and confirmation is no logout: a new code is shown and works", async () => {
  h = await Harness.start({ config: { pair_phone: "15550001000", pair_code: "REVKA123" } });
  h.wa.fault({ at: "in:iq:md:link_code_companion_reg", do: "cut-after" });
  await h.run();
  await h.wa.registrations.waitForCount(2);
  await h.until(() => state() === "linking");
  await h.owner.enterCode("REVKA123");
  await h.ready();
  expect(h.states.all).not.toContain("logged_out");
  expect(h.wa.refusals.count).toBe(0);
});

test("a drop before the link is confirmed leaves a session that links", async () => {
  h = await Harness.start();
  h.wa.fault({ at: "out:iq:pair-success", do: "cut" });
  await h.run();
  h.owner.scanQr(await h.qr()).catch(() => {});
  await h.wa.registrations.waitForCount(2);
  await h.until(() => state() === "linking");
  await h.link();
  expect(state()).toBe("ready");
});

test("a link that only this side has is no logout: a new code is shown and works", async () => {
  h = await Harness.start();
  h.wa.fault({ at: "in:iq:pair-device-sign", do: "cut" });
  await h.run();
  h.owner.scanQr(await h.qr()).catch(() => {});
  await h.wa.refusals.waitFor();
  await h.wa.registrations.waitForCount(2, () => true, 30_000);
  await h.until(() => state() === "linking", 30_000);
  await h.link();
  expect(h.states.all).not.toContain("logged_out");
  expect(readdirSync(h.folder).filter((name) => name.includes(".logged-out-"))).toEqual([]);
  expect(await h.send(h.ada, "linked after all")).toMatchObject({ ok: true });
});

test("an account that needs a passkey is named, and nothing loops", async () => {
  h = await Harness.start();
  h.owner.requiresPasskey = true;
  await h.run();
  h.owner.scanQr(await h.qr()).catch(() => {});
  await h.until(() => state() === "disconnected");
  expect(h.channel.status().reason).toContain("passkey");
  expect(h.channel.status().linking).toBeUndefined();
  expect(h.wa.registrations.count).toBe(1);
});

test("a device removed on the phone is logged out, its session kept beside its place; relink links anew", async () => {
  h = await Harness.linked();
  const [companion] = h.owner.companions;
  if (!companion) throw new Error("not linked");
  h.wa.unlink(companion);
  await h.until(() => state() === "logged_out");
  const aside = () => readdirSync(h.folder).filter((name) => name.includes(".logged-out-"));
  expect(aside()).toHaveLength(1);
  expect(existsSync(h.sessionPath)).toBe(false);
  expect(await h.send(h.ada, "nobody hears")).toMatchObject({
    ok: false,
    failure: { retry: "hold", code: "not_connected" },
  });
  expect(h.channel.status().linkedAs).toBeNull();

  await h.channel.relink?.();
  await h.link();
  expect(h.wa.links.count).toBe(2);
  expect(await h.send(h.ada, "back again")).toMatchObject({ ok: true });
  await h.ada.waitForMessage("back again");
  expect(aside()).toHaveLength(1);
});

describe("what the inbox refused before a logout", () => {
  let refusing: boolean;
  beforeEach(async () => {
    refusing = true;
    h = await Harness.linked({
      admit: (events) => {
        if (refusing && events.some(({ kind }) => kind === "message")) {
          throw new NotAccepted("store", 0, "the disk is full");
        }
      },
    });
    for (const text of ["one", "two"]) await h.ada.send(h.owner, text);
    await h.ada.receipts.waitForCount(2);
    const [companion] = h.owner.companions;
    if (companion) h.wa.unlink(companion);
    await h.until(() => state() === "logged_out");
  });

  async function handedOver(): Promise<void> {
    refusing = false;
    const { sender, backlog } = await h.message("two");
    expect(sender.phone).toBe(`+${h.ada.number}`);
    expect(backlog).toBe(true);
    expect(h.messages().map(({ text }) => text)).toEqual(["one", "two"]);
  }

  test("is handed over after it", handedOver);

  test("is handed over after a restart, and once", async () => {
    await h.channel.stop();
    h.channel = h.create();
    await h.run();
    await handedOver();
    await h.channel.stop();
    h.channel = h.create();
    await h.run();
    await h.link();
    await h.ada.send(h.owner, "three");
    await h.message("three");
    expect(h.messages()).toHaveLength(3);
  });

  test("outlives a second link", async () => {
    await h.channel.relink?.();
    await h.link();
    await h.channel.relink?.();
    await handedOver();
  });
});

test("a logout whose session cannot be left to a next one keeps it in its place, says so, and is made up for by relink", async () => {
  let refusing = true;
  h = await Harness.linked({
    admit: (events) => {
      if (refusing && events.some(({ kind }) => kind === "message")) {
        throw new NotAccepted("store", 0, "the disk is full");
      }
    },
  });
  await h.ada.send(h.owner, "one");
  await h.ada.receipts.waitFor();
  const { open } = Session;
  const opening = spyOn(Session, "open").mockImplementation((location, ...rest) => {
    if (location.follows) throw new Error("database or disk is full");
    return open.call(Session, location, ...rest);
  });
  try {
    const [companion] = h.owner.companions;
    if (companion) h.wa.unlink(companion);
    await h.until(() => h.channel.status().reason?.includes("cannot be moved aside") === true);
    expect(h.channel.status()).toMatchObject({ state: "disconnected" });
    expect(h.channel.status().reason).toContain("free disk space");
    await expect(h.channel.relink?.()).rejects.toThrow("cannot be moved aside");
    expect(readdirSync(h.folder).filter((name) => name.includes(".logged-out-"))).toEqual([]);
  } finally {
    opening.mockRestore();
  }
  await h.channel.relink?.();
  await h.link();
  refusing = false;
  await h.message("one");
  expect(h.messages()).toHaveLength(1);
  expect(readdirSync(h.folder).filter((name) => name.includes(".logged-out-"))).toHaveLength(1);
});

describe("the inside is told whom the account speaks as before anything can be sent", () => {
  const told = () =>
    h.events.all.flatMap((event) => (event.kind === "account" ? [event.number] : []));

  test("and again where that is another number", async () => {
    const atReady: string[][] = [];
    h = await Harness.start();
    h.channel.onStatus(() => {
      if (state() === "ready") atReady.push(told());
    });
    await h.run();
    await h.link();
    await h.channel.relink?.();
    await h.bob.scanQr(await h.qr());
    await h.ready();
    const [owner, bob] = [`+${h.owner.number}`, `+${h.bob.number}`];
    expect(atReady).toEqual([[owner], [owner, bob]]);
  });

  test("and where it does not take that, no connection is made", async () => {
    let refusing = true;
    h = await Harness.start({
      admit: () => {
        if (refusing) throw new NotAccepted("store", 0, "the disk is full");
      },
    });
    await h.run();
    await h.owner.scanQr(await h.qr());
    await h.until(() => h.channel.status().reason?.includes("store") === true);
    expect(h.channel.status().state).toBe("disconnected");
    refusing = false;
    await h.ready();
    expect(told()).toEqual([`+${h.owner.number}`]);
  });

  test("what another number had received is not handed over for this one", async () => {
    let refusing = true;
    h = await Harness.linked({
      admit: (events) => {
        if (refusing && events.some(({ kind }) => kind === "message")) {
          throw new NotAccepted("store", 0, "the disk is full");
        }
      },
    });
    await h.ada.send(h.owner, "for the owner");
    await h.ada.receipts.waitFor();
    await h.channel.relink?.();
    await h.bob.scanQr(await h.qr());
    await h.ready();
    refusing = false;
    await h.ada.send(h.bob, "for Bob");
    await h.message("for Bob");
    expect(h.messages().map(({ text }) => text)).toEqual(["for Bob"]);
  });
});

test("a device removed while we were away is logged out at its next login", async () => {
  h = await Harness.linked();
  await h.channel.stop();
  const [companion] = h.owner.companions;
  if (companion) h.wa.unlink(companion);
  await h.run();
  await h.until(() => state() === "logged_out");
  expect(h.wa.refusals.all).toEqual([401]);
});

test("a session whose key is gone is neither linked anew nor changed, not even by relink", async () => {
  h = await Harness.linked();
  await h.channel.stop();
  const before = readFileSync(h.sessionPath);
  const key = readFileSync(`${h.sessionPath}.key`);
  rmSync(`${h.sessionPath}.key`);
  await h.run();
  expect(h.channel.status()).toMatchObject({ state: "disconnected", linkedAs: null });
  expect(h.channel.status().reason).toContain("key");
  await expect(h.channel.relink?.()).rejects.toThrow("key");
  expect(readFileSync(h.sessionPath)).toEqual(before);
  expect(h.wa.registrations.count).toBe(1);

  writeFileSync(`${h.sessionPath}.key`, key);
  await h.channel.relink?.();
  await h.ready();
  expect(h.wa.links.count).toBe(1);
});

test("relink of a linked device logs it out and shows a new code", async () => {
  h = await Harness.linked();
  await h.channel.relink?.();
  await h.link();
  expect(state()).toBe("ready");
  expect(readdirSync(h.folder).filter((name) => name.includes(".logged-out-"))).toHaveLength(1);
});

/** What a person at a terminal of so many columns is shown. */
async function shownAt(columns: number): Promise<Recorder<string>> {
  const shown = new Recorder<string>("text for the terminal");
  h = await Harness.start({
    options: {
      showLinking: async (draw) => shown.add(await draw(columns)),
      env: { NO_COLOR: "1" },
    },
  });
  await h.run();
  return shown;
}

test("a terminal that would wrap the code is told so instead", async () => {
  const text = await (await shownAt(40)).waitFor();
  expect(text).toContain("this terminal has 40.\nMake it wider");
  expect(text).not.toContain("█");
});

test("the terminal is shown each code once, drawn small enough for it", async () => {
  const shown = await shownAt(80);
  const lines = (await shown.waitFor()).split("\n");
  expect(shown.count).toBe(1);
  expect(lines.length).toBeGreaterThan(20);
  expect(Math.max(...lines.slice(1).map((line) => [...line].length))).toBeLessThanOrEqual(80);
});
