import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carryOut } from "../../src/service/carry-out.ts";
import { emptyPlan, ServiceRefusal, type ServiceStep } from "../../src/service/plan.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-service-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const after = (...steps: ServiceStep["command"][]) => ({
  ...emptyPlan,
  after: steps.map((command) => ({ command })),
});
const fine = async () => 0;
const asRoot = process.geteuid?.() === 0 ? test : test.skip;

asRoot("a folder that is there already is not given away, one that is made is", async () => {
  const old = join(folder, "old");
  mkdirSync(old);
  const made = join(folder, "new");
  const folders = [old, made].map((path) => ({ path, mode: 0o700 }));
  await carryOut({ ...emptyPlan, folders }, fine, { uid: 65_534, gid: 65_533 });
  expect([old, made].map((path) => statSync(path).uid)).toEqual([0, 65_534]);
  expect(statSync(made).gid).toBe(65_533);
});

test("without another owner a folder that is made is one's own", async () => {
  const path = join(folder, "new");
  await carryOut({ ...emptyPlan, folders: [{ path, mode: 0o700 }] }, fine);
  expect(statSync(path).uid).toBe(process.geteuid?.() ?? 0);
});

test("who owns a folder may also get to it: those above it that had to be made are open, whatever this process keeps from others", async () => {
  const path = join(folder, "srv/revka/data");
  const mask = process.umask(0o077);
  try {
    const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
    await carryOut({ ...emptyPlan, folders: [{ path, mode: 0o700 }] }, fine, owner);
  } finally {
    process.umask(mask);
  }
  const modes = ["srv", "srv/revka", "srv/revka/data"].map(
    (made) => statSync(join(folder, made)).mode & 0o777,
  );
  expect(modes).toEqual([0o755, 0o755, 0o700]);
});

test("a file has its mode, whatever this process keeps from others or left half done", async () => {
  const path = join(folder, "unit");
  writeFileSync(`${path}.new`, "half", { mode: 0o600 });
  const mask = process.umask(0o077);
  try {
    await carryOut({ ...emptyPlan, files: [{ path, mode: 0o644, content: "whole" }] }, fine);
  } finally {
    process.umask(mask);
  }
  expect(statSync(path).mode & 0o777).toBe(0o644);
  expect(existsSync(`${path}.new`)).toBe(false);
});

test("what is to go may be gone already", async () => {
  const remove = [join(folder, "unit")];
  expect(await carryOut({ ...emptyPlan, remove }, fine)).toBe(0);
});

test.each<[string, ServiceStep["command"], number]>([
  ["of a step that succeeds", ["true"], 0],
  ["of one that does not", ["sh", "-c", "exit 3"], 3],
  ["of one that is killed", ["sh", "-c", "kill -KILL $$"], 1],
])("the code is that %s", async (_, command, code) => {
  expect(await carryOut(after(command))).toBe(code);
});

test("a program that is not there is named", async () => {
  const asked = carryOut(after(["revka-no-such-program", "start"]));
  await expect(asked).rejects.toBeInstanceOf(ServiceRefusal);
  await expect(asked).rejects.toThrow("revka-no-such-program cannot be started: is it installed?");
});

test("before a step that others need has ended, nothing is written", async () => {
  const path = join(folder, "unit");
  const plan = {
    ...emptyPlan,
    before: [{ command: ["false"] as const }],
    files: [{ path, mode: 0o644, content: "" }],
  };
  await expect(carryOut(plan)).rejects.toThrow("`false` failed (exit 1)");
  expect(existsSync(path)).toBe(false);
});

test.each([
  ["is up", 0, true, true, 0, []],
  ["is not up in time", 0, true, false, 1, ["why"]],
  ["is waited for by its manager", 0, false, false, 0, []],
  ["was not even started", 3, true, true, 3, ["why"]],
] as const)("a daemon that %s", async (_, ended, waits, up, code, shown) => {
  const ran: string[] = [];
  const run = async ([program]: readonly string[]) => {
    if (program !== "start") ran.push(program ?? "");
    return ended;
  };
  const plan = { ...after(["start"]), waits, trouble: [{ command: ["why"] as const }] };
  const asked: boolean[] = [];
  const isUp = async () => asked.push(up) > 0 && up;
  expect(await carryOut(plan, run, null, isUp)).toBe(code);
  expect(ran).toEqual([...shown]);
  expect(asked.length).toBe(ended === 0 && waits ? 1 : 0);
});
