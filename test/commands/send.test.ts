import { beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ControlError, type SendReport, type SendRequest } from "../../src/control/api.ts";
import { revka, widest } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";

const trial = commandTrial();
let asked: SendRequest[];
let answer: SendReport | ControlError;

beforeEach(async () => {
  asked = [];
  answer = report("sent");
  await trial.daemon({
    async send(request) {
      asked.push(request);
      if (answer instanceof ControlError) throw answer;
      return answer;
    },
  });
});

type Outcome = SendReport["deliveries"][number];
function report(state: Outcome["state"], more: Partial<Outcome> = {}): SendReport {
  const one: Outcome = { id: "d1", state, platform_id: null, code: null, hint: null, ...more };
  return { deliveries: [one], window_warning: null };
}

/** A config with a `notification_target` for each of these channels. */
function targets(numbers: { whatsapp?: string; wati?: string }): void {
  const tables = Object.entries(numbers).map(
    ([channel, number]) =>
      `[channels_config.${channel}]\napi_token = "abcd"\nnotification_target = "${number}"\n`,
  );
  writeFileSync(join(trial.home, "config.toml"), `[agent]\nkind = "echo"\n${tables.join("")}`);
}
const whatsapp = "+15550001111";
const wati = "+15550002222";

test.each<[string[], Parameters<typeof targets>[0], string, string | undefined]>([
  [[], { whatsapp }, whatsapp, "whatsapp"],
  [[], { wati }, wati, "wati"],
  [["--channel", "whatsapp"], { whatsapp, wati }, whatsapp, "whatsapp"],
  [["--channel", "wati"], { whatsapp, wati }, wati, "wati"],
  [["--to", "+15550003333", "--channel", "wati"], { whatsapp }, "+15550003333", "wati"],
  [["--to", "+15550003333"], { whatsapp, wati }, "+15550003333", undefined],
])("%p with the targets %j goes to %s", async (words, numbers, to, channel) => {
  targets(numbers);
  expect((await revka(["send", ...words, "x"], trial.env)).code).toBe(0);
  expect(asked.map((one) => [one.to, one.channel])).toEqual([[to, channel]]);
});

test.each<[string, string[], Parameters<typeof targets>[0], string]>([
  ["two targets and no word which", [], { whatsapp, wati }, "both channels have a notification"],
  ["another channel's target alone", ["--channel", "wati"], { whatsapp }, "say to whom"],
  ["another channel's target", ["--channel", "whatsapp"], { wati }, "say to whom"],
  ["a channel that is none", ["--to", whatsapp, "--channel", "sms"], {}, "sms"],
  ["nobody", ["--to", "Ada"], {}, "Ada is neither"],
  ["a wait that is none", ["--to", whatsapp, "--wait", "soon"], {}, '--wait "soon"'],
  ["a wait of halves", ["--to", whatsapp, "--wait", "1.5"], {}, '--wait "1.5"'],
  ["a wait below zero", ["--to", whatsapp, "--wait=-1"], {}, '--wait "-1"'],
  ["a wait of ages", ["--to", whatsapp, "--wait", "301"], {}, '--wait "301"'],
])("with %s nothing is sent", async (_name, words, numbers, why) => {
  targets(numbers);
  expect(await revka(["send", ...words, "x"], trial.env)).toMatchObject({
    code: 2,
    err: expect.stringContaining(why),
  });
  expect(asked).toEqual([]);
});

test.each([
  ["sending", null, "Not answered yet (d1): the platform may have it"],
  ["pending", "an earlier one comes first", "It waits because: an earlier one comes first"],
] as const)("what is %s is told as it is", async (state, hint, said) => {
  targets({ whatsapp });
  answer = report(state, { hint });
  const { code, out } = await revka(["send", "x"], trial.env);
  expect(code).toBe(0);
  expect(out.replaceAll("\n", " ")).toContain(said);
});

test.each<[string[], number]>([
  [[], 15_000],
  [["--wait", "0"], 0],
  [["--wait", "300"], 300_000],
])("%p waits for %d ms", async (words, wait_ms) => {
  await revka(["send", "--to", whatsapp, ...words, "x"], trial.env);
  expect(asked.map((one) => one.wait_ms)).toEqual([wait_ms]);
});

test("says who, what and where", async () => {
  const words = ["--channel", "whatsapp", "--wait", "3", "hello there"];
  const { code, out } = await revka(["send", "--to", whatsapp, ...words], trial.env);
  expect({ code, out }).toEqual({ code: 0, out: "Sent (d1).\n" });
  expect(asked).toEqual([
    { to: whatsapp, text: "hello there", channel: "whatsapp", wait_ms: 3000 },
  ]);
});

test("- reads standard input", async () => {
  await revka(["send", "--to", whatsapp, "-"], trial.env, { input: "line 1\nline 2\n" });
  expect(asked).toEqual([expect.objectContaining({ text: "line 1\nline 2" })]);
});

test("an empty text is wrong usage, and one that is too long", async () => {
  expect((await revka(["send", "--to", whatsapp, " "], trial.env)).code).toBe(2);
  expect((await revka(["send", "--to", whatsapp, "-"], trial.env, { input: "\n" })).code).toBe(2);
  const long = await revka(["send", "--to", whatsapp, "x".repeat(65_537)], trial.env);
  expect(long).toMatchObject({ code: 2, err: expect.stringContaining("65537 characters, at") });
  expect(asked).toEqual([]);
});

test("of an input without end no more is read than may be sent", async () => {
  let read = 0;
  const endless = (function* () {
    for (; ; read++) yield "x".repeat(65_536);
  })();
  const { code, err } = await revka(["send", "--to", whatsapp, "-"], trial.env, { input: endless });
  expect({ code, err }).toMatchObject({ code: 2, err: expect.stringContaining("too many char") });
  expect(read).toBeLessThan(64);
  expect(asked).toEqual([]);
});

test("a failure is 1 and says why and how to repeat it", async () => {
  answer = {
    ...report("failed", { id: "d9", code: "131047", hint: "Past 24 hours." }),
    window_warning: "The window is closed.",
  };
  const { code, err } = await revka(["send", "--to", whatsapp, "x"], trial.env);
  expect(code).toBe(1);
  for (const part of [
    "131047",
    "Past 24 hours.",
    "revka redeliver d9",
    "warning: The window is closed.",
  ]) {
    expect(err).toContain(part);
  }
});

test("a refusal of the daemon is told in its words", async () => {
  answer = new ControlError(400, "two channels run: name one");
  const { code, err } = await revka(["send", "--to", whatsapp, "y"], trial.env);
  expect({ code, err }).toEqual({ code: 1, err: "revka: two channels run: name one\n" });
});

test("--json is the report and nothing else, also of a failure", async () => {
  answer = { ...report("failed", { code: "131047", hint: "Past 24 hours." }), window_warning: "w" };
  const { code, out, err } = await revka(["send", "--to", whatsapp, "--json", "x"], trial.env);
  expect({ code, err }).toEqual({ code: 1, err: "" });
  expect(JSON.parse(out)).toEqual(answer);
});

test("of several parts one that failed makes the whole a failure", async () => {
  answer = {
    window_warning: null,
    deliveries: [
      ...report("sent").deliveries,
      ...report("failed", { id: "d2", code: "470", hint: "Too late." }).deliveries,
    ],
  };
  const { code, out, err } = await revka(["send", "--to", whatsapp, "x"], trial.env);
  expect({ code, out, err }).toEqual({
    code: 1,
    out: "Sent (d1).\n",
    err: "Not sent: 470: Too late.\nTry again with: revka redeliver d2\n",
  });
});

test("the longest text goes whole; what is queued without a reason names none", async () => {
  answer = report("pending");
  const text = "x".repeat(65_536);
  const { code, out, err } = await revka(["send", "--to", whatsapp, text], trial.env);
  expect({ code, out, err }).toEqual({
    code: 0,
    out: "Queued (d1); the daemon sends it as soon as it can.\n",
    err: "",
  });
  expect(asked.map((one) => one.text.length)).toEqual([65_536]);
});

test("what waits says why, in 80 columns and nothing that steers the terminal", async () => {
  answer = report("pending", { hint: `The token is invalid.\u001b[2J ${"word ".repeat(40)}` });
  const { code, out, err } = await revka(["send", "--to", whatsapp, "x"], trial.env);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.replaceAll("\n", " ")).toContain("It waits because: The token is invalid.");
  expect(out).not.toContain("\u001b");
  expect(widest(out)).toBeLessThanOrEqual(80);
  answer = report("failed", { code: null, hint: `evil\u001b[2J ${"word ".repeat(40)}` });
  const failed = await revka(["send", "--to", whatsapp, "x"], trial.env);
  expect(failed.err).not.toContain("\u001b");
  expect(failed.err).not.toContain("null");
  expect(widest(failed.err)).toBeLessThanOrEqual(80);
});

test("its help says that the text is Markdown", async () => {
  expect((await revka(["send", "--help"], {})).out.replace(/\s+/g, " ")).toContain(
    "read as Markdown, as an agent's answer is",
  );
});
