import { beforeEach, expect, test } from "bun:test";
import { revka } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";

const trial = commandTrial();
let changed: boolean;
let asked: unknown[];
beforeEach(async () => {
  asked = [];
  const answer = async (request: unknown) => {
    asked.push(request);
    return { changed };
  };
  await trial.daemon({ pause: answer, resume: answer });
});

const chat = "+15550001111";
test.each<[boolean, string[], string]>([
  [true, ["pause", chat], `Paused ${chat}. Go on with: revka resume ${chat}\n`],
  [false, ["pause", chat], `${chat} was paused already. Go on with: revka resume ${chat}\n`],
  [
    true,
    ["pause", chat, "--channel", "wati"],
    `Paused ${chat}. Go on with: revka resume ${chat} --channel wati\n`,
  ],
  [
    true,
    ["pause", "+1 (555) 000-1111"],
    "Paused +1 (555) 000-1111. Go on with: revka resume '+1 (555) 000-1111'\n",
  ],
  [true, ["resume", chat], `${chat} is answered again.\n`],
  [false, ["resume", chat], `${chat} was not paused.\n`],
])("where that changes something (%p), %p says so, and how to go on", async (is, words, said) => {
  changed = is;
  expect(await revka(words, trial.env)).toEqual({ code: 0, out: said, err: "" });
  expect(asked).toEqual([
    { chat: words[1], ...(words.includes("wati") ? { channel: "wati" } : {}) },
  ]);
});

test.each(["pause", "resume"])(
  "%s of a chat that can be none is wrong usage, as with send",
  async (verb) => {
    const { code, err } = await revka([verb, "Ada"], trial.env);
    expect([code, err]).toEqual([2, expect.stringContaining("Ada is neither a number")]);
    expect(asked).toEqual([]);
  },
);

test.each(["pause", "resume"])("%s of a channel that is none is wrong usage", async (verb) => {
  expect((await revka([verb, chat, "--channel", "sms"], trial.env)).code).toBe(2);
  expect((await revka([verb, ""], trial.env)).code).toBe(2);
  expect(asked).toEqual([]);
});
