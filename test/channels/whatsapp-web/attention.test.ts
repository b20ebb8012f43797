import type { WASocket } from "@whiskeysockets/baileys";
import { expect, test } from "bun:test";
import { Attention } from "../../../src/channels/whatsapp-web/attention.ts";
import type { Session } from "../../../src/channels/whatsapp-web/session.ts";
import type { TurnFocus } from "../../../src/channels/channel.ts";
import { fakeClock } from "../../support/clock.ts";

const phone = "+491700000001";
const jid = "491700000001@s.whatsapp.net";
const focus: TurnFocus = {
  chat: { kind: "direct", id: phone },
  recipient: { kind: "direct", phone, userId: null, lid: null },
  messages: [{ id: "A", sender: { phone, userId: null, lid: null } }],
};

function attentive() {
  const clock = fakeClock();
  const said: string[] = [];
  const session = {
    self: { phone: "+15550001000", lid: null },
    journal: { originOf: () => ({ id: "A", from: jid }) },
  } as unknown as Session;
  const socket = {
    sendPresenceUpdate: async (state: string, to: string) => void said.push(`${state} ${to}`),
    readMessages: async () => void said.push("read"),
  } as unknown as WASocket;
  const attention = new Attention({
    ...{ readReceipts: true, typing: true, clock },
    session: () => session,
    socket: () => socket,
  });
  return { attention, clock, said };
}

test("a turn that answers at once is read and shows no typing", async () => {
  const { attention, clock, said } = attentive();
  attention.started(focus);
  await clock.advance(200);
  attention.ended(focus);
  await clock.advance(60_000);
  expect(said).toEqual(["read"]);
  expect(clock.pending).toBe(0);
});

test("one that takes a moment shows it, again and again, until it ends", async () => {
  const { attention, clock, said } = attentive();
  attention.started(focus);
  await clock.advance(300);
  expect(said).toEqual(["read", `composing ${jid}`]);
  await clock.advance(10_000);
  attention.ended(focus);
  expect(said).toEqual(["read", `composing ${jid}`, `composing ${jid}`, `paused ${jid}`]);
  await clock.advance(60_000);
  expect(said).toHaveLength(4);
});
