/**
 * Does a person's terminal stand behind this standard stream? `process.stderr.isTTY` says the same after building the
 * stream, which takes 4 ms for a file and 18 ms for a pipe; most daemons have neither terminal nor that time to give.
 */
export function isTerminal(descriptor: 0 | 1 | 2): boolean {
  const { fstatSync, statSync } = process.getBuiltinModule("node:fs");
  try {
    const stream = fstatSync(descriptor);
    if (!stream.isCharacterDevice() || stream.rdev === statSync("/dev/null").rdev) return false;
  } catch {
    // It is closed.
    return false;
  }
  return process.getBuiltinModule("node:tty").isatty(descriptor);
}
