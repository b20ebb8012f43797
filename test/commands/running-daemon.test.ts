import { describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { revka } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";
import { statusReport, webReport } from "../support/status-report.ts";

const trial = commandTrial();

const web = webReport();
const report = statusReport({ variant: "whatsapp-web", channels: [web] });

test.each([
  [
    ["pause", "+15550001111", "--channel", "wati"],
    ["pause", { chat: "+15550001111", channel: "wati" }],
  ],
  [
    ["resume", "+15550001111"],
    ["resume", { chat: "+15550001111" }],
  ],
  [
    ["redeliver", "d7"],
    ["redeliver", "d7"],
  ],
  [["relink"], ["relink"]],
])("%p asks the daemon", async (words, call) => {
  const fine = async () => ({ changed: true });
  const done = async () => {};
  const calls = await trial.daemon({
    status: async () => report,
    pause: fine,
    resume: fine,
    redeliver: done,
    relink: done,
  });
  const { code, out } = await revka(words, trial.env);
  expect(code).toBe(0);
  expect(out).not.toBe("");
  expect(calls).toEqual([call]);
});

test("relink follows until the phone took the code", async () => {
  let polls = 0;
  await trial.daemon({
    relink: async () => {},
    status: async () => {
      polls++;
      const linking = { qr: null, pair_code: "ABCD1234", expires_at: "2026-01-01T00:00:00Z" };
      return {
        ...report,
        channels: [polls === 1 ? { ...web, state: "linking", linked_as: null, linking } : web],
      };
    },
  });
  const { code, out } = await revka(["relink", "--wait", "10"], trial.env);
  expect(code).toBe(0);
  expect(out).toContain("Enter ABCD-1234");
  expect(out).toContain("Linked as +15550001111");
});

describe("relink at a terminal", () => {
  const linkedAs = async (linked_as: string | null) =>
    trial.daemon({
      relink: async () => {},
      status: async () => ({ ...report, channels: [{ ...web, linked_as }] }),
    });
  const relink = (words: string[], input: string) =>
    revka(["relink", "--wait", "0", ...words], trial.env, { interactive: true, input });
  const question = "This logs out +15550001111";

  test.each([
    ["y\n", 0],
    ["YES\n", 0],
    ["\n", 1],
    ["n\n", 1],
    ["", 1],
  ])("asks before it logs out: %j ends with %d", async (input, code) => {
    const calls = await linkedAs("+15550001111");
    const asked = await relink([], input);
    expect(asked.err).toContain(question);
    expect(asked.code).toBe(code);
    expect(calls).toEqual(code === 0 ? [["relink"]] : []);
    expect(asked.err.includes("revka: stopped; the link is as it was\n")).toBe(code !== 0);
  });

  test.each<[string, string | null, string[]]>([
    ["with --yes", "+15550001111", ["--yes"]],
    ["where nothing is linked", null, []],
  ])("asks nothing %s", async (_, linked, words) => {
    const calls = await linkedAs(linked);
    const { code, err } = await relink(words, "");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(calls).toEqual([["relink"]]);
  });

  test("as a script it asks nothing", async () => {
    const calls = await linkedAs("+15550001111");
    expect(await revka(["relink"], trial.env)).toMatchObject({ code: 0, err: "" });
    expect(calls).toEqual([["relink"]]);
  });
});

test("without a daemon, pause says how to start one, and how to get a config where there is none", async () => {
  const words = ["pause", "+15550001111"];
  const config = join(trial.home, "config.toml");
  const without = await revka(words, trial.env);
  expect(without.code).toBe(1);
  expect(without.err).toContain(`write ${config} with \`revka init\`, then start it with`);
  const elsewhere = await revka([...words, "--config", `${trial.home}/a b.toml`], trial.env);
  expect(elsewhere.err).toContain(`with \`revka init --config '${trial.home}/a b.toml'\`, then`);
  writeFileSync(config, "");
  const started = await revka(words, trial.env);
  expect(started.err).toContain("start it with `revka daemon`");
  expect(started.err).not.toContain("init");
});
