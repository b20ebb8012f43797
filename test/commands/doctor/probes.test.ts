import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expiryVerdict, skewVerdict } from "../../../src/commands/doctor/cloud-probes.ts";
import { clockVerdict } from "../../../src/commands/doctor/machine-probes.ts";
import { examine, ok, type Probe } from "../../../src/commands/doctor/probe.ts";
import { serviceVerdicts } from "../../../src/commands/doctor/service-probes.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { fakeClock } from "../../support/clock.ts";
import { doctorTrial } from "../../support/doctor-trial.ts";

const trial = doctorTrial();

const examination = () => ({
  loaded: loadConfig({ path: null, env: trial.env, home: trial.home }),
  env: trial.env,
  network: {
    fetchFor: () => async () => new Response(),
    proxyUrlFor: () => null,
    close: async () => {},
  },
  status: null,
});
const probe = (name: string, run: Probe["run"]): Probe => ({ group: "agent", name, run });

test("run side by side; one that hangs or throws spoils no other", async () => {
  await trial.cloud();
  const clock = fakeClock();
  let aborted = false;
  const findings = examine(
    [
      probe("hangs", (_, signal) => {
        signal.addEventListener("abort", () => (aborted = true));
        return new Promise(() => {});
      }),
      probe("rejects", () => Promise.reject(new Error("boom"))),
      probe("throws", () => {
        throw new Error("bang");
      }),
      probe("works", () => [ok("works", "fine")]),
    ],
    { ...examination(), clock },
    20_000,
  );
  await clock.advance(20_000);
  expect((await findings).map(({ name, level, message }) => [name, level, message])).toEqual([
    ["hangs", "error", "no answer within 20 s"],
    ["rejects", "error", "boom"],
    ["throws", "error", "bang"],
    ["works", "ok", "fine"],
  ]);
  expect(aborted).toBe(true);
  expect(clock.pending).toBe(0);
});

const now = Date.parse("2026-11-23T12:00:00Z");
test.each([
  [0, "ok"],
  [now / 1000 - 1, "error"],
  [now / 1000 + 86_400, "warning"],
  [now / 1000 + 86_400 * 60, "info"],
] as const)("a token that expires at %p", (expiresAt, level) => {
  expect(expiryVerdict(expiresAt, now).level).toBe(level);
});

test.each([
  ["Mon, 23 Nov 2026 12:00:30 GMT", null],
  ["Mon, 23 Nov 2026 12:05:00 GMT", "warning"],
  ["Mon, 23 Nov 2026 11:55:00 GMT", "warning"],
  ["yesterday", null],
  [null, null],
])("Meta's clock at %p", (date, level) => {
  expect(skewVerdict(date, now)?.level ?? null).toBe(level as "warning" | null);
});

test.each([
  [now, now - 1, "ok"],
  [now, now + 1, "error"],
  [0, 0, "error"],
] as const)("a clock at %p, built at %p", (at, builtAt, level) => {
  expect(clockVerdict(at, builtAt).level).toBe(level);
});

test.each([
  [[], "info"],
  [["etc/systemd/system/revka.service"], "warning"],
  [
    [
      "etc/systemd/system/revka.service",
      "etc/systemd/system/multi-user.target.wants/revka.service",
    ],
    "ok",
  ],
  [["etc/init.d/revka"], "warning"],
  [["etc/init.d/revka", "etc/runlevels/default/revka"], "ok"],
  [["Library/LaunchDaemons/com.revka.daemon.plist"], "ok"],
  [["Library/LaunchAgents/com.revka.daemon.plist"], "ok"],
] as const)("a service with %p", (files, level) => {
  for (const file of files) {
    mkdirSync(join(trial.home, file, ".."), { recursive: true });
    writeFileSync(join(trial.home, file), "");
  }
  expect(serviceVerdicts({ env: { HOME: trial.home } }, trial.home)[0]?.level).toBe(level);
});
