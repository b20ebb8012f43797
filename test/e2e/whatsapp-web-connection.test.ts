import { DatabaseSync } from "node:sqlite";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "../../src/telemetry/log.ts";
import type { Recipient } from "../../src/channels/message.ts";
import { Harness, heldClock, PATIENCE_MS } from "../channels/whatsapp-web/harness.ts";

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

/** What one send may take (`client.ts`). */
const SEND_DEADLINE_MS = 45_000;
/** Between two pings, at the jitter of the harness, and for the answer to one (`keepalive.ts`). */
const PING_MS = 25_000;
const PONG_MS = 10_000;
/** From the start of a connection to the server's first word (`connection.ts`). */
const CONNECT_DEADLINE_MS = 20_000;

const state = () => h.channel.status().state;

async function linked(): Promise<void> {
  h = await Harness.linked();
  h.states.clear();
  h.wa.logins.clear();
}

for (const code of [503, 500, 515]) {
  test(`stream error ${code}: the connection comes back, with one socket at a time`, async () => {
    await linked();
    await h.wa.streamError(code);
    await h.wa.logins.waitFor();
    await h.ready();
    expect(await h.send(h.ada, `after ${code}`)).toMatchObject({ ok: true });
    await h.ada.waitForMessage(`after ${code}`);
    expect(h.wa.links.count).toBe(1);
  });
}

test("replaced by another client: disconnected with the reason, and nothing reconnects", async () => {
  await linked();
  await h.wa.streamError(440);
  await h.until(() => state() === "disconnected");
  expect(h.channel.status().reason).toContain("replaced");
  expect(await h.channel.probe(AbortSignal.timeout(1000))).toMatchObject({ retry: "hold" });
  expect(h.wa.logins.count).toBe(0);
});

test("a server with a genuine certificate for another key: nothing goes to it, and it is said why", async () => {
  await linked();
  const removeFault = h.wa.fault({ at: "hello", do: "foreign-certificate", times: 0 });
  h.wa.cutAll();
  await h.wa.faults.struck.waitForCount(2);
  await h.until(() => state() === "disconnected");
  expect(h.channel.status().reason).toContain("or is that of another server");
  expect(h.wa.logins.count).toBe(0);
  removeFault();
  await h.ready();
  expect(h.wa.logins.count).toBe(1);
  expect(await h.send(h.ada, "to WhatsApp alone")).toMatchObject({ ok: true });
});

test("such a server is not asked for a link either", async () => {
  h = await Harness.start();
  const removeFault = h.wa.fault({ at: "hello", do: "foreign-certificate", times: 0 });
  await h.run();
  await h.until(() => state() === "disconnected");
  expect(h.channel.status().reason).toContain("did not prove that it is WhatsApp");
  expect(h.wa.registrations.count).toBe(0);
  removeFault();
  await h.link();
  expect(await h.send(h.ada, "linked after all")).toMatchObject({ ok: true });
});

test("a lost network: the connection comes back, and what was sent meanwhile arrives as backlog", async () => {
  const clock = heldClock(CONNECT_DEADLINE_MS);
  h = await Harness.linked({ clock });
  h.wa.fault({ at: "upgrade", do: "refuse", code: 503, times: 2 });
  h.wa.cutAll();
  await h.until(() => state() === "disconnected");
  await h.ada.send(h.owner, "while you were away");
  for (const refused of [1, 2]) {
    await h.wa.faults.struck.waitForCount(refused);
    clock.elapse();
  }
  const message = await h.message("while you were away");
  expect(message.backlog).toBe(true);
  await h.ready();
});

test("a session that cannot be written: what comes is not acknowledged, and arrives once it can", async () => {
  await linked();
  const [companion] = h.owner.companions;
  const other = new DatabaseSync(h.sessionPath);
  other.exec("BEGIN IMMEDIATE");
  const { id } = await h.ada.send(h.owner, "to a full disk");
  await h.until(() => state() === "disconnected");
  expect(h.channel.status().reason).toContain("cannot be written");
  expect(companion?.mailbox.ids()).toContain(id);
  other.exec("ROLLBACK");
  other.close();
  await h.message("to a full disk");
  expect(h.wa.retriesAsked.count).toBe(0);
  expect(h.messages()).toHaveLength(1);
});

test("what was handed over and cannot be noted as such is handed over again at growing pauses", async () => {
  let other: DatabaseSync | undefined;
  const pauses: unknown[] = [];
  const warned = Promise.withResolvers<void>();
  h = await Harness.linked({
    admit: (events) => {
      if (other || !events.some(({ kind }) => kind === "message")) return;
      other = new DatabaseSync(h.sessionPath);
      other.exec("BEGIN IMMEDIATE");
    },
    options: {
      log: {
        ...silentLog,
        warn: (fields, message) => {
          if (!message.includes("handed over")) return;
          if (pauses.push(fields["pause_ms"]) === 3) warned.resolve();
        },
      },
    },
  });
  await h.ada.send(h.owner, "one");
  await warned.promise;
  other?.close();
  expect(pauses.slice(0, 3)).toEqual([500, 1000, 2000]);
});

test("a session that cannot be written at the start is opened all the same, says so, and is ready once it can", async () => {
  await linked();
  await h.channel.stop();
  const other = new DatabaseSync(h.sessionPath);
  other.exec("BEGIN IMMEDIATE");
  h.channel = h.create();
  await h.run();
  await h.until(() => h.channel.status().reason?.includes("cannot be written") === true);
  other.close();
  await h.ready();
});

test("a line that breaks under the first words of a login ends nothing but the connection", async () => {
  await linked();
  for (let round = 0; round < 5; round++) {
    await h.channel.stop();
    await h.ada.send(h.owner, `waiting ${round}`);
    h.wa.fault({ at: "out:ib:offline_preview", do: "cut-after" });
    h.states.clear();
    h.channel = h.create();
    await h.run();
    await h.message(`waiting ${round}`);
    await h.ready();
  }
  expect(h.wa.faults.struck.count).toBe(5);
});

test("a socket that is open but deaf is found by our own ping and replaced", async () => {
  const clock = heldClock(PING_MS, PONG_MS);
  h = await Harness.linked({ clock });
  h.wa.logins.clear();
  h.wa.fault({ at: "in:iq:w:p", do: "swallow" });
  clock.elapse();
  await h.wa.faults.struck.waitFor();
  clock.elapse();
  await h.wa.logins.waitFor();
  await h.ready();
  expect(h.wa.faults.struck.all).toContainEqual({ at: "in:iq:w:p:ping", do: "swallow" });
});

test("an old version is refused with 405: asked for again, not for ever at once", async () => {
  await linked();
  h.wa.fault({ at: "login", do: "refuse", code: 405 });
  h.wa.cutAll();
  await h.wa.logins.waitFor();
  await h.ready();
});

test("the ack of the server is lost: the repeat carries the same id, and the contact reads it once", async () => {
  const clock = heldClock(SEND_DEADLINE_MS);
  h = await Harness.linked({ clock });
  h.wa.fault({ at: "out:ack:message", do: "swallow" });
  const sending = h.send(h.ada, "once", "delivery-x");
  await h.ada.waitForMessage("once");
  clock.elapse();
  expect(await sending).toMatchObject({
    ok: false,
    failure: { retry: "ambiguous", code: "no_ack" },
  });
  const second = await h.send(h.ada, "once", "delivery-x");
  expect(second.ok).toBe(true);
  await h.ada.duplicates.waitFor();
  expect(h.ada.inbox.all.filter(({ text }) => text === "once")).toHaveLength(1);
  const ids = h.wa.clientMessages.all.map(({ id }) => id);
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test("a group that is not there, one it was taken out of, a number without WhatsApp: no second try", async () => {
  await linked();
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada] });
  const sendTo = (recipient: Recipient) =>
    h.channel.send({ ...h.delivery(h.ada, "hello"), recipient }, AbortSignal.timeout(PATIENCE_MS));
  expect(await sendTo({ kind: "group", id: group.jid })).toMatchObject({ ok: true });
  h.wa.changeGroup(group, "remove", h.owner);
  const direct = { kind: "direct", phone: "+4915112345678", userId: null, lid: null } as const;
  for (const [recipient, code] of [
    [{ kind: "group", id: group.jid }, /^group_40[34]$/],
    [{ kind: "group", id: "120363000000009999@g.us" }, /^group_404$/],
    [direct, /^not_on_whatsapp$/],
  ] as const) {
    const result = await sendTo(recipient);
    expect(result).toMatchObject({ ok: false, failure: { retry: "no" } });
    expect(result.ok ? "" : result.failure.code).toMatch(code);
  }
});

test("an ack with an error is a failure with its reason", async () => {
  await linked();
  h.wa.fault({ at: "in:message", do: "refuse", code: 463 });
  expect(await h.send(h.ada, "refused")).toMatchObject({
    ok: false,
    failure: { retry: "no", code: "ack_463" },
  });
});

test("a connection lost before the ack is ambiguous, at once; after it comes back the repeat succeeds", async () => {
  h = await Harness.linked({ clock: heldClock(SEND_DEADLINE_MS) });
  h.wa.fault({ at: "out:ack:message", do: "cut" });
  const delivery = h.delivery(h.ada, "cut off", "delivery-y");
  expect(await h.channel.send(delivery, new AbortController().signal)).toMatchObject({
    ok: false,
    failure: { retry: "ambiguous" },
  });
  expect(await h.send(h.ada, "cut off", "delivery-y")).toMatchObject({ ok: true });
  expect(h.ada.inbox.all.filter(({ text }) => text === "cut off")).toHaveLength(1);
});

test("what a connection that was given up had asked for holds up no send of the next", async () => {
  await linked();
  const group = h.wa.addGroup({ subject: "Team", members: [h.owner, h.ada, h.bob] });
  expect(await h.send(h.ada, "before")).toMatchObject({ ok: true });
  h.wa.fault({ at: "in:iq:usync", do: "swallow", times: 0 });
  const chat = { kind: "group" as const, id: group.jid };
  const delivery = { ...h.delivery(h.ada, "to all"), chat, recipient: chat };
  const hung = h.channel.send(delivery, AbortSignal.timeout(PATIENCE_MS));
  await h.wa.faults.struck.waitFor();
  const other = new DatabaseSync(h.sessionPath);
  other.exec("BEGIN IMMEDIATE");
  await h.ada.send(h.owner, "cannot be written");
  await h.until(() => state() === "disconnected");
  other.close();
  await h.ready();
  // The query itself would wait for 15 s.
  const began = performance.now();
  expect(await h.send(h.ada, "after")).toMatchObject({ ok: true });
  expect(performance.now() - began).toBeLessThan(8_000);
  expect((await hung).ok).toBe(false);
});

test("a hung devices query holds up neither what comes in nor sending for ever", async () => {
  const clock = heldClock(SEND_DEADLINE_MS);
  h = await Harness.linked({ clock });
  h.wa.fault({ at: "in:iq:usync", do: "swallow", times: 0 });
  const sending = h.send(h.bob, "to somebody new");
  await h.ada.send(h.owner, "meanwhile");
  await h.message("meanwhile");
  await h.wa.faults.struck.waitFor();
  clock.elapse();
  expect((await sending).ok).toBe(false);
  h.wa.faults.clear();
  expect(await h.send(h.bob, "and now")).toMatchObject({ ok: true });
});
