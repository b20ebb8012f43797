import { dlopen } from "bun:ffi";

/**
 * A service manager's end of sd_notify(3), bound at `path` (Linux, glibc): a datagram socket that no interface of the
 * runtime offers. `next` resolves with the next datagram, or rejects after `timeoutMs`.
 */
export function notifySocket(path: string): {
  next(timeoutMs?: number): Promise<string>;
  close(): void;
} {
  const { symbols } = dlopen("libc.so.6", {
    socket: { args: ["int", "int", "int"], returns: "int" },
    bind: { args: ["int", "buffer", "u32"], returns: "int" },
    recv: { args: ["int", "buffer", "usize", "int"], returns: "i64" },
    close: { args: ["int"], returns: "int" },
  });
  // AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC.
  const descriptor = symbols.socket(1, 0o2000002, 0);
  const address = Buffer.concat([Uint8Array.of(1, 0), Buffer.from(`${path}\0`)]);
  if (symbols.bind(descriptor, address, address.length) !== 0) throw new Error(`bind ${path}`);
  const receive = (): string | null => {
    const buffer = Buffer.alloc(4096);
    // MSG_DONTWAIT
    const length = Number(symbols.recv(descriptor, buffer, buffer.length, 0x40));
    return length < 0 ? null : buffer.toString("utf8", 0, length);
  };
  return {
    async next(timeoutMs = 5_000) {
      for (const until = Date.now() + timeoutMs; Date.now() < until; await Bun.sleep(5)) {
        const message = receive();
        if (message !== null) return message;
      }
      throw new Error(`no datagram within ${timeoutMs} ms`);
    },
    close: () => void symbols.close(descriptor),
  };
}
