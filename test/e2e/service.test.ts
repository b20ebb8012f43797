import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import {
  chownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "smol-toml";
import { accountOf } from "../../src/service/accounts.ts";
import { command } from "./support/command.ts";
import { cloudConfig } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import { notifySocket } from "./support/notify-socket.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const linux = process.platform === "linux" ? test : test.skip;
const asRoot = process.platform === "linux" && process.geteuid?.() === 0 ? test : test.skip;
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function manager() {
  const folder = mkdtempSync(join(tmpdir(), "revka-notify-"));
  undo.push(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "notify");
  const socket = notifySocket(path);
  undo.push(() => socket.close());
  return { folder, path, socket };
}

linux(
  "READY once the port answers, pings at half the watchdog's time, STOPPING at SIGTERM",
  async () => {
    const { folder, path, socket } = manager();
    const home = join(folder, "home");
    const config = cloudConfig("http://127.0.0.1:9");
    const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "400000" };
    const daemon = await startDaemon({ home, config, env });
    undo.push(() => daemon[Symbol.asyncDispose]());
    expect(await socket.next()).toBe("READY=1");
    expect((await fetch(`${daemon.url}/health`)).status).toBe(200);
    const started = performance.now();
    for (let i = 0; i < 5; i++) expect(await socket.next()).toBe("WATCHDOG=1");
    const each = (performance.now() - started) / 5;
    expect(each).toBeLessThan(400);
    expect(each).toBeGreaterThan(100);
    daemon.kill("SIGTERM");
    let last = await socket.next();
    while (last === "WATCHDOG=1") last = await socket.next();
    expect(last).toBe("STOPPING=1");
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  },
);

linux("a daemon that hangs pings no more", async () => {
  const { folder, path, socket } = manager();
  const config = cloudConfig("http://127.0.0.1:9");
  const env = { NOTIFY_SOCKET: path, WATCHDOG_USEC: "200000" };
  const daemon = await startDaemon({ home: join(folder, "home"), config, env });
  undo.push(() => daemon[Symbol.asyncDispose]());
  expect(await socket.next()).toBe("READY=1");
  daemon.kill("SIGSTOP");
  // What was on its way may still come.
  while (await socket.next(300).catch(() => null)) {}
  await expect(socket.next(500)).rejects.toThrow("no datagram");
  daemon.kill("SIGCONT");
  expect(await socket.next()).toBe("WATCHDOG=1");
});

linux("a start that fails says nothing of READY", async () => {
  const { folder, path, socket } = manager();
  writeFileSync(join(folder, "config.toml"), "agent = 1\n", { mode: 0o600 });
  const env = { REVKA_HOME: folder, NOTIFY_SOCKET: path };
  expect((await command(["daemon", "--port", "0"], env)).code).toBe(78);
  await expect(socket.next(50)).rejects.toThrow("no datagram");
});

asRoot("what root's daemon makes in another account's home is that account's", async () => {
  const { folder } = manager();
  const home = join(folder, "home");
  // As that of a service with an account of its own, which is a link.
  mkdirSync(join(folder, "private"));
  chownSync(join(folder, "private"), 12345, 12345);
  symlinkSync("private", home);
  const ownersOf = (names: string[]) =>
    Object.fromEntries(names.map((name) => [name, statSync(join(home, name)).uid]));
  const daemon = await startDaemon({ home, config: cloudConfig("http://127.0.0.1:9") });
  undo.push(() => daemon[Symbol.asyncDispose]());
  const running = ["revka.db", "revka.db-wal", "revka.db-shm", "revka.db.lock", "revka.sock"];
  expect(ownersOf(running)).toEqual(Object.fromEntries(running.map((name) => [name, 12345])));
  mkdirSync(join(home, "media/7"), { recursive: true });
  writeFileSync(join(home, "media/7/voice.ogg"), "");
  // The account may have laid it there.
  writeFileSync(join(folder, "system"), "");
  linkSync(join(folder, "system"), join(home, "media/7/another name of it"));
  mkdirSync(join(folder, "theirs"));
  writeFileSync(join(folder, "theirs/file"), "");
  chownSync(join(folder, "theirs"), 54321, 54321);
  symlinkSync(join(folder, "theirs"), join(home, "media/7/link"));
  await daemon.stop();
  const left = ["revka.db", "revka.db.lock", "media", "media/7", "media/7/voice.ogg"];
  expect(ownersOf(left)).toEqual(Object.fromEntries(left.map((name) => [name, 12345])));
  // Not Revka's own.
  expect(statSync(daemon.configFile).uid).toBe(0);
  expect(statSync(join(folder, "system")).uid).toBe(0);
  expect(statSync(join(folder, "theirs/file")).uid).toBe(0);
});

asRoot.each([
  ["that was root's before stays so", true, 0],
  ["that root's daemon makes there is that account's", false, 12345],
])("a home in another account's %s", async (_, before, owner) => {
  const { folder } = manager();
  chownSync(folder, 12345, 12345);
  const home = join(folder, "home");
  const place = join(home, "store");
  mkdirSync(home);
  if (before) mkdirSync(place);
  else chownSync(home, 12345, 12345);
  const config = cloudConfig("http://127.0.0.1:9", { root: { store: { path: `${place}/s.db` } } });
  const daemon = await startDaemon({ home, config });
  undo.push(() => daemon[Symbol.asyncDispose]());
  await daemon.stop();
  for (const path of [place, `${place}/s.db`]) expect(statSync(path).uid).toBe(owner);
});

linux("status names the file that a person edits, and not what systemd handed over", async () => {
  const { folder } = manager();
  const home = join(folder, "home");
  const config = cloudConfig("http://127.0.0.1:9");
  const env = { CREDENTIALS_DIRECTORY: home, REVKA_CONFIG: "/etc/revka/config.toml" };
  const daemon = await startDaemon({ home, config, env });
  undo.push(() => daemon[Symbol.asyncDispose]());
  expect((await daemon.status()).config_path).toBe("/etc/revka/config.toml");
});

linux(
  "`~` in the config is the home of the service's account, not of who installs it",
  async () => {
    const { folder } = manager();
    const config = join(folder, "config.toml");
    const web = { channels_config: { whatsapp: { session_path: "~/data/session.db" } } };
    writeFileSync(config, stringify({ agent: { kind: "echo" }, ...web }), { mode: 0o600 });
    const daemonHome = accountOf("daemon")?.home ?? "";
    const words = ["service", "install", "--dry-run", "--manager", "systemd", "--config", config];
    const { code, out } = await command([...words, "--run-as", "daemon"], { HOME: folder });
    expect(code).toBe(0);
    expect(out).toContain(`ReadWritePaths="-${daemonHome}/data"`);
    expect(out).not.toContain(`${folder}/data`);
  },
);
