import { dlopen } from "bun:ffi";
import { afterEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createNotifier } from "../../src/runtime/sd-notify.ts";

const linux = process.platform === "linux" ? test : test.skip;
const undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

/** A service manager's end: a datagram socket bound with libc, read without waiting. */
function manager(path: string) {
  const libc = dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    bind: { args: ["int", "buffer", "u32"], returns: "int" },
    recv: { args: ["int", "buffer", "usize", "int"], returns: "i64" },
    close: { args: ["int"], returns: "int" },
  });
  const descriptor = libc.symbols.socket(1, 2, 0);
  const name = path.startsWith("@") ? `\0${path.slice(1)}` : `${path}\0`;
  const address = Buffer.concat([Uint8Array.of(1, 0), Buffer.from(name)]);
  expect(libc.symbols.bind(descriptor, address, address.length)).toBe(0);
  undo.push(() => libc.symbols.close(descriptor));
  return () => {
    const buffer = Buffer.alloc(4096);
    const length = Number(libc.symbols.recv(descriptor, buffer, buffer.length, 0x40));
    return length < 0 ? null : buffer.toString("utf8", 0, length);
  };
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "revka-notify-"));
  undo.push(() => rmSync(folder, { recursive: true }));
  return folder;
}

for (const kind of ["path", "abstract"] as const) {
  linux(`speaks to a socket (${kind})`, () => {
    const path =
      kind === "path" ? join(temporaryFolder(), "notify") : `@revka-${crypto.randomUUID()}`;
    const receive = manager(path);
    const notifier = createNotifier({ NOTIFY_SOCKET: path });
    notifier.ready();
    expect(receive()).toBe("READY=1");
    notifier.ping();
    expect(receive()).toBe("WATCHDOG=1");
    notifier.status("all ready\nREADY=1 äö");
    expect(receive()).toBe("STATUS=all ready READY=1 äö");
    notifier.stopping();
    expect(receive()).toBe("STOPPING=1");
    expect(receive()).toBeNull();
  });
}

linux("however often it speaks, it holds nothing open", () => {
  const path = join(temporaryFolder(), "notify");
  const receive = manager(path);
  const notifier = createNotifier({ NOTIFY_SOCKET: path });
  notifier.ping();
  const before = readdirSync("/proc/self/fd").length;
  for (let i = 0; i < 100; i++) {
    notifier.ping();
    receive();
  }
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(before + 20);
});

linux("a manager that is gone does no harm", () => {
  createNotifier({ NOTIFY_SOCKET: join(temporaryFolder(), "gone") }).ready();
});

linux("a manager that never reads cannot block the daemon", () => {
  const path = join(temporaryFolder(), "full");
  manager(path);
  const notifier = createNotifier({ NOTIFY_SOCKET: path });
  for (let i = 0; i < 2000; i++) notifier.ping();
});

test.each([
  [undefined, []],
  ["", []],
  ["relative/path", []],
  ["/run/n", ["/run/n READY=1"]],
])("NOTIFY_SOCKET %p", (socket, expected) => {
  const sent: string[] = [];
  createNotifier(
    { NOTIFY_SOCKET: socket },
    (path, text) => sent.push(`${path} ${text}`) > 0,
  ).ready();
  expect(sent).toEqual(expected);
});

test.each([
  [{ WATCHDOG_USEC: "30000000" }, 15_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: String(process.pid) }, 15_000],
  [{ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "1" }, null],
  [{ WATCHDOG_USEC: "0" }, null],
  [{ WATCHDOG_USEC: "soon" }, null],
  [{}, null],
])("watchdog of %p", (env, expected) => {
  expect(createNotifier({ NOTIFY_SOCKET: "/run/n", ...env }).watchdogIntervalMs).toBe(expected);
  expect(createNotifier(env).watchdogIntervalMs).toBeNull();
});
