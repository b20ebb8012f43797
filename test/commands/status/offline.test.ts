import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isReady } from "../../../src/control/status-text.ts";
import { offlineReport } from "../../../src/commands/status/offline.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { buildInfo } from "../../../src/runtime/build-info.ts";
import { fakeClock } from "../../support/clock.ts";
import { temporaryHome } from "../../support/command.ts";
import { cloud as cloudSource, everybody, message, storeAt } from "../../support/store.ts";

const undo: (() => unknown)[] = [];
let home: string;
beforeEach(() => {
  home = temporaryHome(undo);
});
afterEach(() => {
  for (const step of undo.splice(0).toReversed()) step();
});

const cloud =
  '[channels_config.whatsapp]\nphone_number_id = "1"\naccess_token = "aaaa"\nverify_token = "vvvv"\n';
const web = '[channels_config.whatsapp]\nsession_path = "/nowhere/s.db"\n';
const wati = '[channels_config.wati]\napi_token = "tttt"\n';
const holdsWeb = buildInfo.variant === "whatsapp-web";
const off = /^the daemon is not running$/;

test.each<[string, [channel: string, backend: string | null, state: string, reason: RegExp][]]>([
  ["", []],
  [cloud, [["whatsapp", "cloud", "disconnected", off]]],
  [
    cloud + wati,
    [
      ["whatsapp", "cloud", "disconnected", off],
      ["wati", "wati", "disconnected", off],
    ],
  ],
  [
    web,
    [
      holdsWeb
        ? ["whatsapp", "web", "disconnected", off]
        : ["whatsapp", null, "skipped", /whatsapp-web variant/],
    ],
  ],
])("where no daemon runs, %j has its channels named, and none of them ready", (text, expected) => {
  const path = join(home, "config.toml");
  const gateway = '[gateway]\npublic_url = "https://bot.example"\n';
  writeFileSync(path, `[agent]\nkind = "echo"\n${gateway}${text}`, { mode: 0o600 });
  const report = offlineReport(loadConfig({ path, env: {}, home }));
  const named: unknown[][] = report.channels.map(({ channel, backend, state }) => [
    channel,
    backend,
    state,
  ]);
  expect(named).toEqual(expected.map(([channel, backend, state]) => [channel, backend, state]));
  for (const [i, [, , , reason]] of expected.entries()) {
    expect(report.channels[i]?.reason).toMatch(reason);
  }
  expect(report.daemon).toEqual({ running: false, pid: null, uptime_seconds: null });
  expect(report.gateway).toEqual({ address: null, public_url: "https://bot.example" });
  expect(isReady(report)).toBe(false);
});

test("what waits in the store is told, though no daemon has it open", async () => {
  const path = join(home, "config.toml");
  writeFileSync(path, `[agent]\nkind = "echo"\n${cloud}`, { mode: 0o600 });
  const loaded = loadConfig({ path, env: { REVKA_HOME: home }, home });
  const warned: string[] = [];
  const waiting = () => {
    const { inbox, outbox } = offlineReport(loaded, (sentence) => warned.push(sentence));
    return [inbox.pending, outbox.pending, outbox.failed];
  };
  expect(waiting()).toEqual([0, 0, 0]);
  const store = storeAt(loaded.paths.store, fakeClock());
  const events = ["one", "two"].map((id) => ({
    kind: "message" as const,
    message: message({ id }),
  }));
  const { admitted } = await store.accept(cloudSource, events, everybody);
  const content = { kind: "text" as const, text: "x", quote: null };
  const deliveries = ["d1", "d2", "d3", "d4"].map((id) => ({ id, content }));
  await store.enqueue(admitted[0]?.chat ?? 0, deliveries);
  await store.markFailed("d1", { retry: "no", afterMs: null, code: "131026", hint: "nobody" });
  store.close();
  const before = readdirSync(dirname(loaded.paths.store));
  expect(waiting()).toEqual([2, 3, 1]);
  expect(readdirSync(dirname(loaded.paths.store))).toEqual(before);
  expect(warned).toEqual([]);
  writeFileSync(loaded.paths.store, "no store");
  expect(waiting()).toEqual([0, 0, 0]);
  expect(warned).toEqual([expect.stringContaining("cannot be read here")]);
});

test("what waits in the log of a store that is a link is told as well", async () => {
  const path = join(home, "config.toml");
  writeFileSync(path, `[agent]\nkind = "echo"\n${cloud}`, { mode: 0o600 });
  const loaded = loadConfig({ path, env: { REVKA_HOME: home }, home });
  const elsewhere = join(home, "elsewhere.db");
  const store = storeAt(elsewhere, fakeClock());
  undo.push(() => store.close());
  symlinkSync(elsewhere, loaded.paths.store);
  await store.accept(cloudSource, [{ kind: "message", message: message() }], everybody);
  expect(statSync(`${elsewhere}-wal`).size).toBeGreaterThan(0);
  expect(offlineReport(loaded).inbox.pending).toBe(1);
});
