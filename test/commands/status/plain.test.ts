import { expect, jest, test } from "bun:test";
import { Readable } from "node:stream";
import type { ChannelReport, StatusReport } from "../../../src/control/api.ts";
import { plainStatus } from "../../../src/commands/status/plain.ts";
import { revka } from "../../support/command.ts";
import { commandTrial } from "../../support/command-trial.ts";
import { statusReport, webReport } from "../../support/status-report.ts";

const trial = commandTrial();
const linking = { qr: "2@abc", pair_code: null, expires_at: "2026-01-01T00:00:00Z" };
const report = (changes: Partial<ChannelReport> = {}): StatusReport =>
  statusReport({ channels: [webReport(changes)] });

async function plainly(env: Record<string, string>) {
  let out = "";
  const code = await plainStatus(env, {
    out: (text) => (out += text),
    err: (text) => (out += text),
    input: Readable.from([]),
    interactive: false,
    color: false,
  });
  return { code, out };
}

test.each([
  ["ready", 0],
  ["connecting", 1],
] as const)("of a channel that is %s it says what the command says", async (state, code) => {
  await trial.daemon({ status: async () => report({ state }) });
  const told = await plainly(trial.env);
  expect(told).toEqual({ code, out: expect.stringContaining(`whatsapp (web): ${state}`) });
  expect(await revka(["status"], trial.env)).toEqual({ code, out: told.out, err: "" });
});

const more: [name: string, prepare: () => Promise<unknown>, env: Record<string, string>][] = [
  ["no daemon", async () => {}, {}],
  ["a code to draw", () => trial.daemon({ status: async () => report({ linking }) }), {}],
  ["a refusal", () => trial.daemon({}), {}],
  ["an account without a home", () => trial.daemon({ status: async () => report() }), { HOME: "" }],
];
test.each(more)(
  "with %s it says nothing, and leaves it to the command",
  async (_, prepare, env) => {
    await prepare();
    expect(await plainly({ ...trial.env, ...env })).toEqual({ code: null, out: "" });
  },
);

test("a daemon that takes its time is left to the command", async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await trial.daemon({
    status: () => {
      resolve();
      return new Promise(() => {});
    },
  });
  jest.useFakeTimers();
  try {
    const told = plainly(trial.env);
    await asked;
    jest.advanceTimersByTime(1_000);
    expect(await told).toEqual({ code: null, out: "" });
  } finally {
    jest.useRealTimers();
  }
});
