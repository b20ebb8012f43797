import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { Harness, heldClock } from "../channels/whatsapp-web/harness.ts";
import { deliverWithoutContent, sendAnswer } from "../doubles/whatsapp-web/placeholder.ts";
import { now } from "../doubles/whatsapp-web/stanza.ts";

const ROUNDS = 12;

setDefaultTimeout(60_000);

let h: Harness;
afterEach(() => h.stop());

function client(handOverMs: number) {
  const doubles = join(import.meta.dir, "..", "doubles", "whatsapp-web");
  const child = Bun.spawn({
    cmd: [
      process.execPath,
      "--preload",
      join(doubles, "trust-double.ts"),
      join(import.meta.dir, "..", "channels", "whatsapp-web", "killed.ts"),
    ],
    env: {
      ...process.env,
      REVKA_TEST_WA_ROOT: h.wa.rootHex,
      SESSION_PATH: h.sessionPath,
      WS_URL: h.wa.url,
      INBOX: join(h.folder, "inbox"),
      HAND_OVER_MS: String(handOverMs),
    },
    stdout: "pipe",
    stderr: "inherit",
  });
  return child;
}

/** Kills the client and waits until it is gone. */
async function kill(child: ReturnType<typeof client>): Promise<void> {
  child.kill("SIGKILL");
  await child.exited;
}

function inbox(): string[] {
  const path = join(h.folder, "inbox");
  if (!existsSync(path)) return [];
  return readFileSync(path, "utf8").trim().split("\n").filter(Boolean);
}

test(`killed ${ROUNDS} times between decryption and inbox: every message arrives, readable, in the end`, async () => {
  h = await Harness.linked();
  await h.ada.send(h.owner, "warm");
  await h.message("warm");
  await h.channel.stop();

  const wanted: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    h.wa.logins.clear();
    const child = client(round % 3 === 0 ? 200 : 5);
    await h.wa.logins.waitFor();
    const texts = [`${round} first`, `${round} second`, `${round} third`];
    wanted.push(...texts);
    for (const text of texts) await h.ada.send(h.owner, text);
    await h.wa.clientReceipts.waitFor();
    h.wa.clientReceipts.clear();
    await kill(child);
  }

  await h.run();
  await h.ready();
  const arrived = () =>
    new Set([
      ...inbox().map((line) => line.slice(line.indexOf(" ") + 1)),
      ...h.messages().map(({ text }) => text),
    ]);
  await h.events.waitFor(() => wanted.every((text) => arrived().has(text))).catch(() => {});
  expect(wanted.filter((text) => !arrived().has(text))).toEqual([]);
  expect(h.ignored()).not.toContain("undecryptable");
  expect(h.ada.undecryptable.all).toEqual([]);
  expect(await h.send(h.ada, "still the same session")).toMatchObject({ ok: true });
  await h.ada.waitForMessage("still the same session");
});

test("a second process on the same session is told so; after a kill nothing is stale", async () => {
  h = await Harness.linked();
  await h.channel.stop();
  h.wa.logins.clear();
  const child = client(0);
  await h.wa.logins.waitFor();
  const second = h.create();
  await second.start(h.deliver);
  expect(second.status()).toMatchObject({ state: "disconnected", linkedAs: null });
  expect(second.status().reason).toContain("another process");
  await second.stop();
  await kill(child);
  await h.run();
  await h.ready();
  expect(h.wa.links.count).toBe(1);
});

/** Until the phone is asked anew for a message without content, after a login. */
const clock = heldClock(12_000);

test("killed as soon as a message without content is acknowledged, and as soon as the phone's answer is: it arrives", async () => {
  h = await Harness.linked({ clock });
  await h.channel.stop();
  const companion = h.owner.companions[0]!;
  const t = now() - 3600;
  const killedOnce = async (deliver: () => string | Promise<string>) => {
    h.wa.logins.clear();
    const child = client(2000);
    await h.wa.logins.waitFor();
    const id = await deliver();
    await companion.mailbox.settled.waitFor((one) => one.id === id, 30_000);
    await kill(child);
  };
  for (const id of ["M1", "M2"]) {
    await killedOnce(() => {
      deliverWithoutContent(companion, { from: h.ada.jid, id, t });
      return id;
    });
  }
  const key = { remoteJid: h.ada.jid, id: "M1", fromMe: false };
  const info = { key, message: { conversation: "hello" }, messageTimestamp: now() };
  await killedOnce(() => sendAnswer(h.owner.main, companion, [info]));

  await h.restart();
  expect(await h.message("hello")).toMatchObject({ id: "M1", timestamp: t });
  clock.elapse();
  const { content } = await h.owner.inbox.waitFor((one) => Boolean(one.content.protocolMessage));
  expect(content.protocolMessage?.peerDataOperationRequestMessage).toMatchObject({
    placeholderMessageResendRequest: [{ messageKey: { ...key, id: "M2" } }],
  });
});
