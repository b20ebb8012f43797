import { beforeEach, expect, test } from "bun:test";
import type { proto } from "@whiskeysockets/baileys";
import { Resends, answerTo } from "../../../src/channels/whatsapp-web/resends.ts";
import { fakeClock } from "../../support/clock.ts";

const GROUP = "120363000000000001@g.us";
const OTHER = "120363000000000002@g.us";
const ADA = "900491700000001@lid";
const BOB = "900447700900002@lid";

let clock: ReturnType<typeof fakeClock>;
let resends: Resends;
beforeEach(() => {
  clock = fakeClock();
  resends = new Resends(clock);
});

const session = {
  sentTo: (_: string, id: string): proto.IMessage | undefined =>
    id === "M" || id === "N" ? { conversation: "hi" } : undefined,
};
const phone = (number: number) => `9004917${String(number).padStart(8, "0")}@lid`;
const ask = (chat: string, asker: string, id = "M") =>
  answerTo(session, resends, { id, chat, asker });
let members = 0;
/** How many of so many members, each asking once, get the message. */
const answered = (times: number, group: string, id = "M") =>
  Array.from({ length: times }, () => ask(group, phone(++members), id)).filter(
    (answer) => answer?.message?.conversation === "hi",
  ).length;
/** What a device gets that asks so often for the message: it, a new session alone, or nothing. */
const gets = (times: number, asker: string, id = "M") =>
  Array.from({ length: times }, () => {
    const answer = ask(asker, asker, id);
    return answer && (answer.message?.conversation ?? "session");
  });

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
  expect(gets(1, ADA)).toEqual(["hi"]);
});

test("who is not answered in a group gets a new session, to read what comes next", () => {
  answered(10, GROUP);
  expect(ask(GROUP, ADA)).toEqual({ message: null });
});

test("a device gets a message as often again as a phone asks for it, and no more that day", async () => {
  expect(gets(7, ADA)).toEqual(["hi", "hi", "hi", "hi", "hi", null, null]);
  expect(gets(1, `${ADA.replace("@", ":7@")}`)).toEqual(["hi"]);
  expect(gets(1, BOB)).toEqual(["hi"]);
  expect(gets(1, ADA, "N")).toEqual(["hi"]);
  await clock.advance(86_400_000);
  expect(gets(1, ADA)).toEqual(["hi"]);
});

test("for ids that somebody makes up they get a new session, and not one for each", () => {
  const made = Array.from({ length: 300 }, (_, i) => gets(1, ADA, `unknown ${i}`)).flat();
  expect(made.filter((answer) => answer !== null)).toEqual(Array(5).fill("session"));
  expect(gets(1, ADA)).toEqual(["hi"]);
});

test("nor are phones by the other devices of members, which get it each alone", async () => {
  const gotIt = (asker: string) => ask(GROUP, asker)?.message?.conversation;
  for (let i = 1; i <= 30; i++) expect(gotIt(`9004917000000${i}:7@lid`)).toBe("hi");
  for (let i = 1; i <= 10; i++) expect(gotIt(`9004917000000${i}@lid`)).toBe("hi");
  expect(gotIt(ADA)).toBeUndefined();
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
