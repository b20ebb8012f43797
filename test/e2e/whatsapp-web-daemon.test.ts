import { existsSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, setDefaultTimeout, test } from "bun:test";
import type { TurnRequest } from "../../src/agent/agent.ts";
import { startAgent } from "./support/agent.ts";
import { ada, owner, prepareWeb, startLinked, startWeb } from "./support/web.ts";

setDefaultTimeout(60_000);

const PATIENCE_MS = 20_000;

/** The smallest PNG there is. */
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

test("from a clean home: the code that status shows links the phone; a restart needs no other", async () => {
  await using s = await startWeb();
  const shown = await s.qr();
  const linking = await s.revka("status", "--json");
  expect(linking.code).toBe(1);
  const [channel] = JSON.parse(linking.out).channels;
  expect(channel).toMatchObject({
    channel: "whatsapp",
    backend: "web",
    state: "linking",
    linked_as: null,
    linking: { qr: shown, pair_code: null },
  });
  expect(Date.parse(channel.linking.expires_at)).toBeGreaterThan(Date.now());

  const drawn = s.daemon.lines.filter((line) => /^[█▀▄ ]{40,}$/.test(line));
  expect(drawn.length).toBeGreaterThan(20);
  expect(Math.max(...drawn.map((line) => line.length))).toBeLessThanOrEqual(80);

  const picture = join(s.home, "code.png");
  const following = s.revka("link", "--png", picture);
  await s.owner.scanQr(channel.linking.qr);
  expect(await following).toMatchObject({ code: 0, err: "" });
  expect((await following).out).toContain("Linked as +15550001000");
  expect(existsSync(picture)).toBe(false);
  expect(await s.ready()).toMatchObject({
    linked_as: "+15550001000",
    reason: null,
    state: "ready",
  });
  expect((await s.ready()).linking).toBeUndefined();
  await s.ada.send(s.owner, "hello");
  await s.ada.waitForMessage("hello", PATIENCE_MS);
  expect(statSync(s.sessionPath).mode & 0o077).toBe(0);

  await s.restart();
  await s.ada.send(s.owner, "still there?");
  await s.ada.waitForMessage("still there?", PATIENCE_MS);
  expect(s.wa.links.count).toBe(1);
  const { code, out } = await s.revka("status");
  expect(code).toBe(0);
  expect(out).toContain("ready as +15550001000");
  expect((await fetch(`${s.daemon.url}/health`)).status).toBe(200);
  expect(s.wa.retriesAsked.count).toBe(0);
  expect(s.wa.unhandled.all).toEqual([]);
  expect(s.wa.errors.all).toEqual([]);
});

for (const [kind, pairCode, wanted] of [
  ["that WhatsApp made", "", /^[1-9A-HJ-NP-TV-Z]{8}$/],
  ["of one's own", "REVK-A123", /^REVKA123$/],
] as const) {
  test(`by a code ${kind}: status shows it, the phone takes it`, async () => {
    await using s = await startWeb({
      whatsapp: { pair_phone: owner.number, pair_code: pairCode },
    });
    const { linking } = await s.until(({ linking }) => Boolean(linking?.pair_code));
    const code = linking?.pair_code ?? "";
    expect(code).toMatch(wanted);
    expect(linking?.qr).toBeNull();
    const log = s.daemon.lines.join("\n");
    expect(log).toContain(`${code.slice(0, 4)}-${code.slice(4)}`);
    await s.owner.enterCode(code, PATIENCE_MS);
    await s.ready();
    expect(s.wa.links.made.all).toMatchObject([{ by: "code" }]);
    await s.ada.send(s.owner, "hello");
    await s.ada.waitForMessage("hello", PATIENCE_MS);
  });
}

test("direct and group chats; a person by number, by LID, and by LID alone, against a list of numbers", async () => {
  await using s = await startLinked({ whatsapp: { allowed_numbers: [`+${ada.number}`] } });
  await s.ada.send(s.owner, "by number", { as: "pn", alt: false });
  await s.ada.waitForMessage("by number", PATIENCE_MS);
  await s.ada.send(s.owner, "by both", { as: "lid" });
  await s.ada.waitForMessage("by both", PATIENCE_MS);
  await s.ada.send(s.owner, "by LID alone", { as: "lid", alt: false });
  await s.ada.waitForMessage("by LID alone", PATIENCE_MS);

  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada, s.bob] });
  await s.ada.send(group, "to all");
  const [read] = await Promise.all([
    s.ada.waitForMessage("to all", PATIENCE_MS),
    s.bob.waitForMessage(({ text, from }) => text === "to all" && from === owner.number),
  ]);
  expect(read.chat).toBe(group.jid);

  await s.bob.send(s.owner, "not on the list", { as: "pn" });
  await s.counted("revka_refusals_total", "not_allowed");
  await s.bob.send(group, "nor here");
  await s.counted("revka_refusals_total", "not_allowed", 2);
  const eve = s.wa.addPhone({ number: "33600000003", name: "Eve" });
  await eve.send(s.owner, "who am I", { as: "lid", alt: false });
  await s.counted("revka_refusals_total", "unknown_number");
  await s.quiet();
  const { refusals } = await s.daemon.status();
  expect(refusals).toContainEqual({ channel: "whatsapp", reason: "not_allowed", count: 2 });
  expect(eve.inbox.count).toBe(0);
  expect(s.bob.inbox.all.filter(({ chat }) => !chat.endsWith("@g.us"))).toEqual([]);
  expect(s.daemon.lines.join("\n")).not.toContain(ada.number);
});

test("what an agent is told, media in and out, quotes, typing and receipts", async () => {
  const folder = await prepareWeb();
  const picture = join(folder.home, "answer.png");
  writeFileSync(picture, png);
  let finish = () => {};
  const held = new Promise<void>((resolve) => (finish = resolve));
  const agent = await startAgent(async (turn: TurnRequest) => {
    const [message] = turn.messages;
    if (message?.text === "look") {
      return {
        body: { messages: [{ image_path: picture, caption: "seen" }, { reaction: "👍" }] },
      };
    }
    if (message?.text === "think") await held;
    return { body: { messages: [{ text: "thought", reply_to: message?.id }] } };
  });
  await using s = folder;
  s.changes = { agent: { kind: "webhook", url: agent.url, media_dir: s.home } };
  await s.start();
  await s.link();

  const { id } = await s.ada.send(s.owner, { image: png, caption: "look" });
  const [turn] = await agent.turns.waitFor({ where: (one) => one.messages[0]?.id === id });
  expect(turn).toMatchObject({
    channel: "whatsapp",
    backend: "web",
    chat: { id: `+${ada.number}`, kind: "direct" },
    messages: [
      {
        id,
        type: "image",
        text: "look",
        sender: { phone: `+${ada.number}`, lid: s.ada.lid, name: "Ada" },
        reply_to: null,
        forwarded: false,
      },
    ],
  });
  const [attachment] = turn?.messages[0]?.attachments ?? [];
  expect(attachment).toMatchObject({ kind: "image", size: png.length });
  expect(await Bun.file(attachment?.path ?? "").bytes()).toEqual(new Uint8Array(png));
  const image = await s.ada.waitForMessage("seen", PATIENCE_MS);
  expect(image.media).toBe("image");
  expect(await s.ada.download(image)).toEqual(png);
  const reaction = await s.ada.waitForMessage(({ kind }) => kind === "reaction", PATIENCE_MS);
  expect(reaction).toMatchObject({ text: "👍", about: id });

  const quoting = { id: image.id, chat: s.owner.jid, mine: false, text: "seen" };
  const states = s.ada.chatStates;
  states.clear();
  const thinking = await s.ada.send(s.owner, { text: "think", quote: quoting });
  await states.waitFor(({ state }) => state === "composing", PATIENCE_MS);
  await s.wa.clientReceipts.waitFor((one) => one.id === thinking.id && one.type === "read");
  const [second] = await agent.turns.waitFor({ where: (one) => one.messages[0]?.text === "think" });
  expect(second?.messages[0]?.reply_to).toBe(image.id);
  expect(second?.history.map(({ role }) => role)).toEqual(["user"]);
  expect(states.all.map(({ state }) => state)).not.toContain("paused");
  finish();
  await states.waitFor(({ state }) => state === "paused", PATIENCE_MS);
  const answer = await s.ada.waitForMessage("thought", PATIENCE_MS);
  expect(answer.about).toBe(thinking.id);
  agent.stop();
});

test("a stop lets the reply of a turn that ends go out, and parks what hangs without alarm", async () => {
  const agent = await startAgent(({ messages: [message] }) => ({ body: { text: message?.text } }));
  const release = Promise.withResolvers<void>();
  const slow = await startAgent(async ({ messages: [message] }) => {
    await release.promise;
    return { body: { text: `re ${message?.text}` } };
  });
  await using s = await startLinked({ agent: { kind: "webhook", url: slow.url } });
  await s.ada.send(s.owner, "one");
  await slow.turns.waitFor();
  s.daemon.kill("SIGTERM");
  await s.daemon.waitForLog("stopping");
  release.resolve();
  await s.ada.waitForMessage("re one");
  expect((await s.daemon.exited).code).toBe(0);

  s.changes = { ...s.changes, agent: { kind: "webhook", url: agent.url } };
  await s.start();
  await s.ready();
  s.wa.fault({ at: "in:iq:usync", do: "swallow", times: 0 });
  await s.control.send({ to: `+${s.bob.number}`, text: "two" });
  await s.wa.faults.struck.waitFor();
  await s.daemon.stop();
  expect(s.daemon.lines.filter((line) => line.includes("unexpected"))).toEqual([]);
  s.wa.faults.clear();
  await s.start();
  await s.bob.waitForMessage("two");
  expect(s.ada.inbox.all.map(({ text }) => text)).toEqual(["re one"]);
  agent.stop();
  slow.stop();
});

test("an operator names a group by its id or JID, and the own chat by its number", async () => {
  await using s = await startLinked({ whatsapp: { mode: "personal", self_chat_mode: true } });
  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada] });
  const id = group.jid.replace("@g.us", "");
  for (const to of [group.jid, `group:${group.jid}`, `group:${id}`]) {
    await s.control.send({ to, text: `to ${to}` });
    const { chat } = await s.ada.waitForMessage(`to ${to}`);
    expect(chat).toBe(group.jid);
  }
  const notes = () =>
    s.owner.inbox.all.flatMap(({ text }) => (text?.startsWith("note") ? text : []));
  await s.owner.send(s.owner, "note one");
  await s.owner.waitForMessage("note one");
  await s.control.pause({ chat: `+${owner.number}` });
  expect((await s.daemon.status()).paused_chats).toHaveLength(1);
  await s.owner.send(s.owner, "note two");
  await s.untilStatus(({ inbox }) => inbox.pending === 1);
  await s.control.send({ to: `+${owner.number}`, text: "note from the operator" });
  await s.owner.waitForMessage("note from the operator");
  expect(notes()).toEqual(["note one", "note from the operator"]);
  await s.control.resume({ chat: "self" });
  await s.owner.waitForMessage("note two");
});
