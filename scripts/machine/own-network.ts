import { spawn } from "node:child_process";

/** Set for the process that runs in it, to whatever the one outside hands over. */
const mark = "REVKA_TRIAL_HANDED_OVER";

/** What the process outside handed over; null for that one itself. */
export function handedOver(): string | null {
  return process.env[mark] ?? null;
}

/**
 * Runs this script anew in a network of its own, where nothing but its loopback can be reached. `ip` is a program such as
 * ip(8). Resolves with its exit code.
 */
export async function runInOwnNetwork(ip: readonly string[], handed: string): Promise<number> {
  const start = `${ip.map((word) => `'${word}'`).join(" ")} link set lo up && exec "$@"`;
  // Ends with this process, however that ends.
  const words = [
    "--pdeathsig",
    "TERM",
    "unshare",
    "--net",
    "sh",
    "-c",
    start,
    "sh",
    process.execPath,
    ...process.argv.slice(1),
  ];
  const child = spawn("setpriv", words, {
    stdio: "inherit",
    env: { ...process.env, [mark]: handed },
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on("error", () => resolve(1));
    child.on("exit", (code) => resolve(code ?? 1));
  });
}
