import { expect, setDefaultTimeout, test } from "bun:test";
import type { TurnRequest } from "../../src/agent/agent.ts";
import type { Group } from "../doubles/whatsapp-web/groups.ts";
import type { Phone } from "../doubles/whatsapp-web/phone.ts";
import { stanza } from "../doubles/whatsapp-web/stanza.ts";
import { startAgent } from "./support/agent.ts";
import { ada, owner, startLinked, type WebSetup } from "./support/web.ts";

setDefaultTimeout(60_000);

const PATIENCE_MS = 20_000;

/** What everybody writes in every mode: Ada is on the list, Bob is not. */
const occasions = ["ada", "bob", "ada in the group", "bob in the group", "note to self"] as const;
type Occasion = (typeof occasions)[number];

const modes: {
  name: string;
  whatsapp: Record<string, unknown>;
  answered: Occasion[];
  refused: Record<string, number>;
}[] = [
  {
    name: "business: the list alone decides, whatever the personal policies say",
    whatsapp: { dm_policy: "ignore", group_policy: "ignore", self_chat_mode: true },
    answered: ["ada", "ada in the group"],
    refused: { not_allowed: 2, self_chat_off: 1, from_me: 2 },
  },
  {
    name: "personal: direct chats ignored, groups open, the own chat answered",
    whatsapp: { mode: "personal", dm_policy: "ignore", group_policy: "all", self_chat_mode: true },
    answered: ["ada in the group", "bob in the group", "note to self"],
    refused: { policy_ignore: 2, from_me: 2 },
  },
  {
    name: "personal: direct chats open, groups ignored",
    whatsapp: { mode: "personal", dm_policy: "all", group_policy: "ignore" },
    answered: ["ada", "bob"],
    refused: { policy_ignore: 2, self_chat_off: 1, from_me: 2 },
  },
  {
    name: "personal: the list in direct chats and groups",
    whatsapp: { mode: "personal", self_chat_mode: true },
    answered: ["ada", "ada in the group", "note to self"],
    refused: { not_allowed: 2, from_me: 2 },
  },
];

async function writeAll(s: WebSetup, group: Group, round: string): Promise<void> {
  await s.ada.send(s.owner, `${round} ada`);
  await s.bob.send(s.owner, `${round} bob`, { as: "lid" });
  await s.ada.send(group, `${round} ada in the group`);
  await s.bob.send(group, `${round} bob in the group`);
  await s.owner.send(s.owner, `${round} note to self`);
  await s.owner.send(s.ada, `${round} typed to Ada`);
  await s.owner.send(group, `${round} typed to the group`);
}

/** What a phone read of the daemon (its device is not 0), in order. */
function answers(phone: Phone, round: string): string[] {
  return phone.inbox.all.flatMap(({ text, from, device }) =>
    from === owner.number && device > 0 && text?.startsWith(`${round} `)
      ? [text.slice(round.length + 1)]
      : [],
  );
}

async function refused(s: WebSetup, wanted: Record<string, number>): Promise<void> {
  const total = Object.values(wanted).reduce((sum, count) => sum + count, 0);
  const { refusals } = await s.untilStatus(
    (status) => status.refusals.reduce((sum, { count }) => sum + count, 0) >= total,
  );
  const counts = Object.fromEntries(refusals.map(({ reason, count }) => [reason, count]));
  expect(counts).toEqual(wanted);
}

test("who is answered in which mode; what the owner types is never answered, the own chat once", async () => {
  const numbers = { allowed_numbers: [`+${ada.number}`] };
  await using s = await startLinked({ whatsapp: numbers });
  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada, s.bob] });
  for (const [index, mode] of modes.entries()) {
    const round = `${index}`;
    await s.restart({ whatsapp: { ...numbers, ...mode.whatsapp } });
    await writeAll(s, group, round);
    await refused(s, mode.refused);
    await s.quiet();
    const inGroup = (text: string) => text.includes("group");
    const expected = (wanted: (one: Occasion) => boolean) =>
      occasions.filter((one) => mode.answered.includes(one) && wanted(one)).toSorted();
    const readers: [Phone, (one: Occasion) => boolean][] = [
      [s.ada, (one) => one === "ada" || inGroup(one)],
      [s.bob, (one) => one === "bob" || inGroup(one)],
    ];
    for (const [phone, wanted] of readers) {
      const count = expected(wanted).length;
      const ours = () => answers(phone, round);
      await phone.inbox.waitFor(() => ours().length >= count, PATIENCE_MS).catch(() => {});
      expect({ mode: mode.name, read: ours().toSorted() }).toEqual({
        mode: mode.name,
        read: expected(wanted),
      });
    }
    if (mode.answered.includes("note to self")) {
      const answer = await s.owner.waitForMessage(
        ({ text, device }) => device > 0 && text === `${round} note to self`,
        PATIENCE_MS,
      );
      // Another of the owner's devices shows it to this one: an echo, not a new note.
      await s.owner.send(s.owner, answer.text ?? "", { id: answer.id });
      await s.counted("revka_events_ignored_total", "own_echo");
      await s.quiet();
    }
    const notes = answers(s.owner, round).filter((text) => text === "note to self");
    expect(notes).toHaveLength(mode.answered.includes("note to self") ? 1 : 0);
  }
});

test("mention gates: patterns, real mentions of the account, replies to it", async () => {
  await using s = await startLinked({
    whatsapp: {
      dm_mention_patterns: ["^!bot\\b"],
      group_mention_patterns: ["@revka\\b"],
      mention_me: true,
    },
  });
  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada, s.bob] });
  const extended = (text: string, contextInfo: object) => ({
    raw: { extendedTextMessage: { text, contextInfo } },
  });
  await s.ada.send(s.owner, "!BOT help");
  await s.ada.waitForMessage("help", PATIENCE_MS);
  await s.ada.send(s.owner, "nobody is meant");
  await s.ada.send(group, "@Revka what is new?");
  const answer = await s.ada.waitForMessage("what is new?", PATIENCE_MS);
  await s.ada.send(group, "talking among us");
  await s.ada.send(group, "@revka");
  await s.ada.send(group, extended("hey Bob", { mentionedJid: [s.bob.lid] }));
  await s.ada.send(group, extended("hey you", { mentionedJid: [s.owner.lid] }));
  await s.bob.send(
    group,
    extended("and then?", {
      stanzaId: answer.id,
      participant: s.owner.lid,
      quotedMessage: { conversation: "what is new?" },
    }),
  );
  const ours = (text: string) => (one: { text: string | undefined; from: string }) =>
    one.text === text && one.from === owner.number;
  await s.bob.waitForMessage(ours("hey you"), PATIENCE_MS);
  await s.ada.waitForMessage(ours("and then?"), PATIENCE_MS);
  await refused(s, { mention_missing: 3, mention_only: 1 });
  await s.quiet();
  const read = s.ada.inbox.all.flatMap(({ text, from }) =>
    from === owner.number && text !== undefined ? [text] : [],
  );
  expect(read).toEqual(["help", "what is new?", "hey you", "and then?"]);
});

test("statuses, newsletters, calls, reactions, edits and deletions start no turn, and are counted", async () => {
  const agent = await startAgent(() => ({ body: { text: "answered" } }));
  await using s = await startLinked({ agent: { kind: "webhook", url: agent.url } });
  const { id } = await s.ada.send(s.owner, "first");
  const answer = await s.ada.waitForMessage("answered", PATIENCE_MS);
  const mine = { id, chat: s.owner.jid, mine: true };

  await s.ada.postStatus("look at my holiday", [s.owner]);
  const ours = { id: answer.id, chat: s.owner.jid, mine: false };
  await s.ada.send(s.owner, { reaction: "👍", about: ours });
  await s.ada.send(s.owner, { edit: mine, text: "first, edited" });
  await s.ada.send(s.owner, { revoke: mine });
  const [companion] = s.owner.companions;
  const t = `${Math.floor(Date.now() / 1000)}`;
  const newsletter = { id: "NEWS1", from: "120363000000000009@newsletter", t, type: "text" };
  companion?.deliver(
    stanza("message", newsletter, [stanza("plaintext", {}, Buffer.from("\n\x02hi"))]),
  );
  const call = { "call-id": "CALL1", "call-creator": s.ada.jid };
  companion?.deliver(stanza("call", { id: "C1", from: s.ada.jid, t }, [stanza("offer", call)]));

  for (const reason of ["status_broadcast", "reaction", "edit", "revoke", "newsletter", "call"]) {
    await s.counted("revka_events_ignored_total", `reason="${reason}"`);
  }
  await s.quiet();
  expect(agent.turns.entries).toHaveLength(1);
  expect(s.ada.inbox.all.filter(({ from }) => from === owner.number)).toHaveLength(1);
  agent.stop();
});

test("an edit and a deletion change what still waits; nobody else can make them", async () => {
  let finish = () => {};
  const held = new Promise<void>((resolve) => (finish = resolve));
  const agent = await startAgent(async (turn: TurnRequest) => {
    if (turn.messages[0]?.text === "first") await held;
    return null;
  });
  await using s = await startLinked({ agent: { kind: "webhook", url: agent.url } });
  const group = s.wa.addGroup({ subject: "Team", members: [s.owner, s.ada, s.bob] });
  const send = async (text: string) => {
    const { id } = await s.ada.send(group, text);
    return { id, chat: group.jid, mine: true };
  };
  await send("first");
  await agent.turns.waitFor({ timeoutMs: PATIENCE_MS });
  const second = await send("second");
  const third = await send("third");
  await send("fourth");
  await s.bob.send(group, { edit: second, text: "changed by Bob" });
  await s.bob.send(group, { revoke: second });
  await s.ada.send(group, { edit: second, text: "second, edited" });
  await s.ada.send(group, { revoke: third });
  await s.counted("revka_events_ignored_total", `reason="foreign_edit"`);
  await s.counted("revka_events_ignored_total", `reason="foreign_revoke"`);
  await s.counted("revka_events_ignored_total", `reason="revoke"`);
  finish();
  await agent.turns.waitFor({ count: 3, timeoutMs: PATIENCE_MS });
  await s.quiet();
  expect(agent.turns.entries.map(({ messages }) => messages[0]?.text)).toEqual([
    "first",
    "second, edited",
    "fourth",
  ]);
  agent.stop();
});
