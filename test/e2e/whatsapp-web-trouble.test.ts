import { existsSync, readdirSync } from "node:fs";
import { expect, setDefaultTimeout, test } from "bun:test";
import { startAgent } from "./support/agent.ts";
import { binary } from "../support/binary.ts";
import { owner, prepareWeb, startLinked, startWeb, type WebSetup } from "./support/web.ts";

setDefaultTimeout(60_000);

const PATIENCE_MS = 20_000;

async function answers(s: WebSetup, text: string): Promise<void> {
  await s.ada.send(s.owner, text);
  await s.ada.waitForMessage(({ text: read, from }) => read === text && from === owner.number);
}

/** Milliseconds of the daemon's own clock at which it logged the last line that matches. */
function loggedAt(s: WebSetup, pattern: string): number {
  const line = s.daemon.lines.findLast((one) => one.includes(pattern));
  if (!line) throw new Error(`the log lacks ${pattern}`);
  return Date.parse(String(JSON.parse(line).time)) || Number(JSON.parse(line).time);
}

test.concurrent(
  "lost connections: the state says why, replies wait without an alarm and go at once when it is back",
  async () => {
    let finish = () => {};
    const held = new Promise<void>((resolve) => (finish = resolve));
    const agent = await startAgent(async ({ messages: [message] }) => {
      if (message?.text === "slowly") await held;
      return { body: { text: message?.text } };
    });
    await using s = await startLinked({ agent: { kind: "webhook", url: agent.url } });
    await s.ada.send(s.owner, "slowly");
    await agent.turns.waitFor({ timeoutMs: PATIENCE_MS });

    s.wa.logins.clear();
    await s.wa.streamError(503);
    const lost = await s.state("disconnected");
    expect(lost.reason).toMatch(/not available.*503.*next try in \d s/);
    expect(lost.linked_as).toBe("+15550001000");
    finish();
    const waiting = await s.untilStatus(({ outbox }) => outbox.pending === 1);
    expect(waiting.channels[0]?.state).toBe("disconnected");
    expect(waiting.alarms).toEqual([]);
    expect(waiting.outbox.failed).toBe(0);
    expect((await fetch(`${s.daemon.url}/health`)).status).toBe(503);
    expect((await s.revka("status")).code).toBe(1);

    await s.ada.waitForMessage("slowly", PATIENCE_MS);
    await s.daemon.waitForLog("delivery sent", PATIENCE_MS);
    const late = loggedAt(s, "delivery sent") - loggedAt(s, "WhatsApp Web is connected");
    expect(late).toBeLessThan(1_000);
    expect(s.ada.inbox.all.filter(({ text }) => text === "slowly")).toHaveLength(1);

    s.wa.logins.clear();
    await s.wa.streamError(515);
    await s.wa.logins.waitFor(() => true, PATIENCE_MS);
    await s.ready();
    await answers(s, "after 515");
    expect(s.wa.links.count).toBe(1);
    agent.stop();
  },
);

test.concurrent(
  "an old version is refused with 405: it says so and comes back with the current one",
  async () => {
    await using s = await startLinked();
    s.wa.fault({ at: "login", do: "refuse", code: 405 });
    await s.wa.streamError(515);
    const { reason } = await s.state("disconnected");
    expect(reason).toContain("405");
    await s.ready();
    await answers(s, "after 405");
  },
);

test.concurrent(
  "replaced by another client: it says so and stays away until a restart",
  async () => {
    await using s = await startLinked();
    s.wa.logins.clear();
    await s.wa.streamError(440);
    const { reason } = await s.state("disconnected");
    expect(reason).toContain("replaced: another client uses this session (440)");
    await s.control.send({ to: `+${s.ada.number}`, text: "for later" });
    await s.ada.send(s.owner, "are you there?");
    expect((await s.daemon.status()).channels[0]?.state).toBe("disconnected");
    expect((await s.revka("status")).code).toBe(1);
    expect(s.wa.logins.count).toBe(0);
    await s.restart();
    await s.ada.waitForMessage("are you there?", PATIENCE_MS);
    await s.ada.waitForMessage("for later", PATIENCE_MS);
  },
);

test.concurrent(
  "logged out by the phone: the session is kept, relink shows a code that links anew",
  async () => {
    await using s = await startLinked();
    await answers(s, "before");
    const aside = () => readdirSync(s.home).filter((name) => name.includes(".logged-out-"));
    for (const companion of s.owner.companions) s.wa.unlink(companion);
    const gone = await s.state("logged_out");
    expect(gone.reason).toContain("revka relink");
    expect(gone.linked_as).toBeNull();
    expect(aside()).toHaveLength(1);
    expect(aside()[0]).toMatch(/^whatsapp-session\.db\.logged-out-\d{4}-\d\d-\d\dT/);
    expect(existsSync(s.sessionPath)).toBe(false);
    expect((await s.revka("status")).code).toBe(1);
    expect((await fetch(`${s.daemon.url}/health`)).status).toBe(503);
    expect(s.wa.registrations.count).toBe(1);

    const relinking = s.revka("relink", "--wait", "50");
    await s.owner.scanQr(await s.qr());
    const { code, out } = await relinking;
    expect(out).toContain("Linked as +15550001000");
    expect(code).toBe(0);
    await answers(s, "after");
    expect(aside()).toHaveLength(1);
    expect(s.wa.links.count).toBe(2);

    for (const companion of s.owner.companions) s.wa.unlink(companion);
    await s.state("logged_out");
    await s.daemon.stop();
    await s.start();
    await s.link();
    await answers(s, "after a restart");
    expect(aside()).toHaveLength(2);
  },
);

test.concurrent(
  "another number is linked: what waited for the one before does not go out from it",
  async () => {
    await using s = await startLinked();
    await answers(s, "before");
    for (const companion of s.owner.companions) s.wa.unlink(companion);
    await s.state("logged_out");
    const to = `+${s.ada.number}`;
    const waiting = await s.revka("send", "--wait", "0", "--to", to, "from the owner");
    expect(waiting.out).toContain("Queued");

    const relinking = s.revka("relink", "--wait", "50");
    await s.bob.scanQr(await s.qr());
    expect((await relinking).out).toContain(`Linked as +${s.bob.number}`);
    await s.ada.send(s.bob, "who is this?");
    await s.ada.waitForMessage("who is this?");
    expect(s.ada.inbox.all.map(({ text }) => text)).not.toContain("from the owner");
    const status = JSON.parse((await s.revka("status", "--json")).out);
    expect(status.outbox).toMatchObject({ pending: 0, failed: 1 });
  },
);

test.concurrent("an account that needs a passkey: named, not tried again", async () => {
  await using s = await startWeb();
  s.owner.requiresPasskey = true;
  s.owner.scanQr(await s.qr()).catch(() => {});
  const { reason, linking } = await s.state("disconnected");
  expect(reason).toContain("passkey");
  expect(linking).toBeUndefined();
  const { code, out } = await s.revka("status");
  expect(code).toBe(1);
  expect(out).toContain("passkey");
  expect(s.wa.registrations.count).toBe(1);
});

test.concurrent(
  "the executable trusts WhatsApp alone: it goes no further with a server that cannot prove to be it",
  async () => {
    await using s = await prepareWeb({}, { binary: await binary("whatsapp-web") });
    await s.start();
    expect((await s.daemon.status()).variant).toBe("whatsapp-web");
    const { reason } = await s.state("disconnected");
    expect(reason).toContain("did not prove that it is WhatsApp");
    expect(reason).toContain("next try in");
    expect((await s.revka("status")).code).toBe(1);
    expect(s.wa.opened).toBeGreaterThan(0);
    expect(s.wa.registrations.count).toBe(0);
  },
);

test.concurrent(
  "what was written during downtime is answered once; what is too old is refused",
  async () => {
    await using s = await startLinked({ whatsapp: { max_backlog_age_secs: 3600 } });
    await answers(s, "before");
    await s.daemon.stop();
    const seconds = Math.floor(Date.now() / 1000);
    await s.ada.send(s.owner, "two hours ago", { t: seconds - 7200 });
    await s.ada.send(s.owner, "half an hour ago", { t: seconds - 1800 });
    await s.ada.send(s.owner, "just now");
    await s.start();
    await s.ada.waitForMessage("just now", PATIENCE_MS);
    await s.counted("revka_refusals_total", "too_old");
    await s.restart();
    await answers(s, "live again");
    await s.quiet();
    const read = s.ada.inbox.all.flatMap(({ text, from }) => (from === owner.number ? [text] : []));
    expect(read).toEqual(["before", "half an hour ago", "just now", "live again"]);
    await s.acknowledged();
  },
);
