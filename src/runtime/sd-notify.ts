import { builtin } from "./builtin.ts";

/** Tells systemd (Type=notify) how the daemon is. Every call does nothing where no service manager listens. */
export interface Notifier {
  /** The daemon works: routes mounted, store writable. */
  ready(): void;
  /** How often {@link Notifier.ping} is due, half of WatchdogSec; null where the manager does not watch. */
  watchdogIntervalMs: number | null;
  ping(): void;
  stopping(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
}

/** Sends one datagram; false where it could not. */
export type SendDatagram = (socketPath: string, message: string) => boolean;

/**
 * The protocol of sd_notify(3): newline-separated assignments in one datagram to $NOTIFY_SOCKET, whose leading `@`
 * stands for the abstract namespace. `send` is for tests.
 */
export function createNotifier(
  env: Readonly<Record<string, string | undefined>>,
  send: SendDatagram = sendDatagram,
): Notifier {
  const socketPath = env["NOTIFY_SOCKET"];
  const tell = (message: string) => {
    if (socketPath && /^[/@]/.test(socketPath)) send(socketPath, message);
  };
  return {
    ready: () => tell("READY=1"),
    watchdogIntervalMs: socketPath ? watchdogInterval(env) : null,
    ping: () => tell("WATCHDOG=1"),
    stopping: () => tell("STOPPING=1"),
    status: (text) => tell(`STATUS=${text.replace(/\s+/g, " ").slice(0, 500)}`),
  };
}

function watchdogInterval(env: Readonly<Record<string, string | undefined>>): number | null {
  const microseconds = Number(env["WATCHDOG_USEC"]);
  const pid = env["WATCHDOG_PID"];
  if (!Number.isSafeInteger(microseconds) || microseconds <= 0) return null;
  if (pid && Number(pid) !== process.pid) return null;
  return Math.max(1, Math.floor(microseconds / 2000));
}

/** glibc, musl on both processors, whatever else the linker finds. */
const libraries = ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1", "libc.so"];

// Linux values; sd_notify exists nowhere else.
const AF_UNIX = 1;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const MSG_DONTWAIT_NOSIGNAL = 0x4040;

/**
 * Neither Bun nor `node:dgram` speaks Unix datagrams, so libc is called directly; where that is impossible (Deno), the
 * `systemd-notify` program is tried, which a unit accepts only with NotifyAccess=all.
 */
function sendDatagram(socketPath: string, message: string): boolean {
  if (process.platform !== "linux") return false;
  const libc = openLibc();
  if (!libc) {
    const child = builtin
      .childProcess()
      .spawn("systemd-notify", message.split("\n"), { stdio: "ignore" });
    child.on("error", () => {});
    child.unref();
    return true;
  }
  const address = unixAddress(socketPath);
  const bytes = Buffer.from(message, "utf8");
  const descriptor = libc.socket(AF_UNIX, SOCK_DGRAM_CLOEXEC, 0);
  if (descriptor < 0) return false;
  try {
    return (
      Number(
        libc.sendto(
          descriptor,
          bytes,
          bytes.length,
          MSG_DONTWAIT_NOSIGNAL,
          address,
          address.length,
        ),
      ) === bytes.length
    );
  } finally {
    libc.close(descriptor);
  }
}

/** struct sockaddr_un: the family in the machine's (little-endian) order, then the path. */
function unixAddress(socketPath: string): Uint8Array {
  const abstract = socketPath.startsWith("@");
  const path = Buffer.from(abstract ? `\0${socketPath.slice(1)}` : `${socketPath}\0`, "utf8");
  return Buffer.concat([Uint8Array.of(AF_UNIX, 0), path]);
}

type Libc = ReturnType<typeof load>;
let opened: Libc | null | undefined;

function openLibc(): Libc | null {
  if (opened !== undefined) return opened;
  opened = null;
  for (const library of libraries) {
    try {
      opened = load(library);
      break;
    } catch {
      // Not this C library; the next one.
    }
  }
  return opened;
}

function load(library: string) {
  // Not an import: under Deno the name does not exist, and the rest of this file still has to load.
  const ffi = process.getBuiltinModule("bun:ffi") as typeof import("bun:ffi") | undefined;
  if (!ffi) throw new Error("no foreign functions in this runtime");
  return ffi.dlopen(library, {
    socket: { args: ["int", "int", "int"], returns: "int" },
    sendto: { args: ["int", "buffer", "usize", "int", "buffer", "u32"], returns: "i64" },
    close: { args: ["int"], returns: "int" },
  }).symbols;
}
