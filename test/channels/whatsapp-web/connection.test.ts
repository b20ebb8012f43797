import { expect, test } from "bun:test";
import { opened, setup } from "./connection-harness.ts";

test("opened, it is ready, and pings", async () => {
  const s = await opened();
  expect(s.connection.status).toEqual({ state: "ready", reason: null });
  await s.clock.advance(60_000);
  expect(s.last().pings).toBeGreaterThan(1);
});

test("a login that was taken may take its time, but not for ever", async () => {
  const s = setup();
  s.connection.start();
  await s.settle();
  s.last().events.accepted();
  await s.clock.advance(119_999);
  expect(s.sockets).toHaveLength(1);
  expect(s.connection.status.state).toBe("connecting");
  await s.clock.advance(1);
  expect(s.connection.status.state).toBe("disconnected");
});

test("the proxy on the way is named where it let nothing through, for that connection alone", async () => {
  const s = setup();
  s.connection.start();
  await s.settle();
  s.last().events.proxyFailed("the proxy refused");
  s.last().events.ended(500);
  expect(s.connection.status).toEqual({
    state: "disconnected",
    reason: "the proxy refused; next try in 3 s",
  });
  await s.clock.advance(3_000);
  s.last().events.ended(500);
  expect(s.connection.status.reason).toStartWith("the connection to WhatsApp ended (500)");
});

test("a connection that neither opens nor shows a code is given up after 20 s", async () => {
  const s = setup();
  s.connection.start();
  await s.settle();
  await s.clock.advance(19_999);
  expect(s.sockets).toHaveLength(1);
  await s.clock.advance(1);
  expect(s.last().ended).toBe(true);
  expect(s.connection.status.state).toBe("disconnected");
  await s.clock.advance(3000);
  expect(s.sockets).toHaveLength(2);
});

test("the back-off doubles until a connection held for a minute", async () => {
  const s = await opened();
  for (const pause of [3000, 6000, 12_000]) {
    s.last().events.ended(503);
    const before = s.sockets.length;
    await s.clock.advance(pause - 1);
    expect(s.sockets).toHaveLength(before);
    await s.clock.advance(1);
    expect(s.sockets).toHaveLength(before + 1);
    s.last().events.opened();
    await s.clock.advance(59_999);
  }
  await s.clock.advance(1);
  s.last().events.ended(503);
  await s.clock.advance(3000);
  expect(s.sockets).toHaveLength(5);
});

test("a server that asks for a restart after each login is not come back to at once for ever", async () => {
  const s = await opened();
  for (let restarts = 1; restarts <= 3; restarts++) {
    s.last().events.ended(515);
    await s.settle();
    expect(s.sockets).toHaveLength(restarts + 1);
    s.last().events.opened();
  }
  s.last().events.ended(515);
  await s.clock.advance(2_999);
  expect(s.sockets).toHaveLength(4);
  await s.clock.advance(1);
  s.last().events.opened();
  await s.clock.advance(60_000);
  s.last().events.ended(515);
  await s.settle();
  expect(s.sockets).toHaveLength(6);
});

test("the old socket is ended before the next is opened, and is not heard any more", async () => {
  const s = await opened();
  const [first] = s.sockets;
  s.last().events.ended(503);
  expect(first?.ended).toBe(true);
  await s.clock.advance(3000);
  s.last().events.opened();
  first?.events.ended(401);
  first?.events.qr("late");
  expect(s.connection.status.state).toBe("ready");
  expect(s.record.loggedOut).toBe(0);
});

test("515 comes back at once, but not for ever", async () => {
  const s = await opened();
  for (let times = 0; times < 3; times++) {
    s.last().events.ended(515);
    await s.settle();
  }
  expect(s.sockets).toHaveLength(4);
  s.last().events.ended(515);
  await s.settle();
  expect(s.sockets).toHaveLength(4);
  await s.clock.advance(3000);
  expect(s.sockets).toHaveLength(5);
});

test("replaced or refused, nothing comes back by itself; started again, it does", async () => {
  for (const code of [440, 403, 411]) {
    const s = await opened();
    s.last().events.ended(code);
    await s.clock.advance(3_600_000);
    expect(s.sockets).toHaveLength(1);
    expect(s.connection.status.state).toBe("disconnected");
    expect(s.connection.comingBack).toBe(false);
    s.connection.start();
    await s.settle();
    expect(s.sockets).toHaveLength(2);
  }
});

test("logged out: the session is put aside first, then it is said", async () => {
  const aside = Promise.withResolvers<void>();
  const s = await opened({ onLoggedOut: () => aside.promise });
  s.last().events.ended(401);
  await s.settle();
  expect(s.connection.status.state).toBe("ready");
  aside.resolve();
  await s.settle();
  expect(s.connection.status.state).toBe("logged_out");
  await s.clock.advance(3_600_000);
  expect(s.sockets).toHaveLength(1);
});

test("a link that WhatsApp does not know is forgotten, and the next connection registers", async () => {
  const s = setup();
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  s.last().events.linked();
  s.last().events.ended(515);
  await s.settle();
  expect(s.record.forgotten).toBe(0);
  s.last().events.ended(401);
  expect(s.record).toMatchObject({ forgotten: 1, loggedOut: 0 });
  expect(s.connection.status.state).toBe("disconnected");
  await s.clock.advance(3000);
  expect(s.sockets).toHaveLength(3);
});

test("a link that cannot be forgotten yet is tried again, and forgotten then", async () => {
  let full = true;
  let forgotten = 0;
  const s = setup({
    onNotLinked: () => {
      if (full) throw new Error("database or disk is full");
      forgotten++;
    },
  });
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  s.last().events.ended(401);
  expect(s.connection.status.state).toBe("disconnected");
  await s.clock.advance(3_000);
  full = false;
  s.last().events.ended(401);
  expect(forgotten).toBe(1);
});

test("the version is found out once, and anew after it was refused", async () => {
  const s = await opened();
  s.last().events.ended(503);
  await s.clock.advance(3000);
  expect(s.last().version[2]).toBe(1);
  s.last().events.ended(405);
  await s.clock.advance(6000);
  expect(s.last().version[2]).toBe(2);
});

test("each code is shown with the time it is good for; the last drops the state of linking", async () => {
  const s = setup();
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  s.last().events.qr("first");
  expect(s.connection.status).toMatchObject({
    state: "linking",
    linking: { qr: "first", pairCode: null, expiresAt: s.clock.now() + 60_000 },
  });
  await s.clock.advance(60_000);
  s.last().events.qr("second");
  expect(s.connection.status.linking).toEqual({
    qr: "second",
    pairCode: null,
    expiresAt: s.clock.now() + 20_000,
  });
  s.last().events.ended(408);
  expect(s.connection.status.linking).toBeUndefined();
  await s.clock.advance(3000);
  expect(s.sockets).toHaveLength(2);
});

test("a code that was taken is shown no more", async () => {
  const s = setup();
  s.connection.start();
  await s.settle();
  s.last().events.qr("code");
  s.last().events.linked();
  expect(s.connection.status).toEqual({ state: "connecting", reason: "linked; logging in" });
});

test("codes that nobody takes are no failures: the next follow after the shortest pause, however often", async () => {
  const s = setup();
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  for (let rounds = 1; rounds <= 5; rounds++) {
    s.last().events.qr("code");
    await s.clock.advance(60_000);
    s.last().events.ended(408);
    expect(s.connection.status.reason).toBe(
      "no phone took a code in time; a new one follows; next try in 3 s",
    );
    await s.clock.advance(3_000);
    expect(s.sockets).toHaveLength(rounds + 1);
  }
});

test("with a pair code only the first QR payload asks for one", async () => {
  const s = setup({ byCode: true });
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  s.last().events.qr("first");
  await s.settle();
  expect(s.connection.status.linking).toMatchObject({ qr: null, pairCode: "ABCD1234" });
  const { changes } = s.record;
  s.last().events.qr("second");
  await s.settle();
  expect(s.record.changes).toBe(changes);
});

test("a passkey ends the try and waits for a person", async () => {
  const s = setup();
  s.record.linked = false;
  s.connection.start();
  await s.settle();
  s.last().events.qr("code");
  s.last().events.passkey();
  expect(s.connection.status.reason).toContain("passkey");
  expect(s.last().ended).toBe(true);
  await s.clock.advance(3_600_000);
  expect(s.sockets).toHaveLength(1);
});

test("stopped while the version is asked for, no socket is opened", async () => {
  let answer = (_: [number, number, number]) => {};
  const s = setup({
    findVersion: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  s.connection.start();
  s.connection.stop("stopped");
  answer([2, 3000, 1]);
  await s.settle();
  expect(s.sockets).toHaveLength(0);
  expect(s.clock.pending).toBe(0);
});

test("a socket that cannot even be opened is tried again", async () => {
  let tries = 0;
  const s = setup({
    open: () => {
      tries++;
      throw new Error("no");
    },
  });
  s.connection.start();
  await s.settle();
  await s.clock.advance(3000);
  expect(tries).toBe(2);
});
