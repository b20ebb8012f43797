import { beforeEach, expect, test } from "bun:test";
import type { proto } from "@whiskeysockets/baileys";
import { Resends, messageAgain } from "../../../src/channels/whatsapp-web/resends.ts";
import { fakeClock } from "../../support/clock.ts";

const GROUP = "120363000000000001@g.us";
const OTHER = "120363000000000002@g.us";
const ADA = "900491700000001@lid";

let clock: ReturnType<typeof fakeClock>;
let resends: Resends;
beforeEach(() => {
  clock = fakeClock();
  resends = new Resends(clock);
});

const session = {
  sentTo: (_: string, id: string): proto.IMessage | undefined =>
    id === "M" ? { conversation: "hi" } : undefined,
};
/** How many of so many who ask get the message. */
const answered = (times: number, remoteJid: string, id = "M") =>
  Array.from({ length: times }, () => messageAgain(session, resends, { remoteJid, id })).filter(
    (message) => message?.conversation === "hi",
  ).length;

test("a group's members together get a message again a few times, and then once in a while", async () => {
  expect(answered(300, GROUP)).toBe(10);
  await clock.advance(11_999);
  expect(answered(300, GROUP)).toBe(0);
  await clock.advance(1);
  expect(answered(300, GROUP)).toBe(1);
  await clock.advance(30_000);
  expect(answered(300, GROUP)).toBe(2);
  await clock.advance(6_000);
  expect(answered(300, GROUP)).toBe(1);
  await clock.advance(3_600_000);
  expect(answered(300, GROUP)).toBe(10);
});

test("those of other groups, and people, are not kept from theirs", () => {
  answered(300, GROUP);
  expect(answered(5, OTHER)).toBe(5);
  expect(answered(300, ADA)).toBe(300);
});

test("nor are phones by the other devices of members, which get it each alone", async () => {
  const ask = (participant: string) =>
    messageAgain(session, resends, { remoteJid: GROUP, id: "M", participant })?.conversation;
  for (let i = 1; i <= 30; i++) expect(ask(`9004917000000${i}:7@lid`)).toBe("hi");
  for (let i = 1; i <= 10; i++) expect(ask(`9004917000000${i}@lid`)).toBe("hi");
  expect(ask(ADA)).toBeUndefined();
});

test("who asks for what was not for them takes nothing from others", () => {
  expect(answered(300, GROUP, "unknown")).toBe(0);
  expect(answered(10, GROUP)).toBe(10);
});

test("a clock that is set back locks nobody out", () => {
  answered(300, GROUP);
  clock.now = () => 0;
  expect(answered(1, GROUP)).toBe(0);
  clock.now = () => 12_000;
  expect(answered(2, GROUP)).toBe(1);
});
