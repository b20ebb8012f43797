import { execFileSync, spawnSync } from "node:child_process";
import { variable } from "../config/paths.ts";

export interface Account {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

/** Who called sudo, or doas, which Alpine has in its place; where that was somebody else than root. */
export function callerOfSudo(env: Readonly<Record<string, string | undefined>>): string | null {
  const name = variable(env, "SUDO_USER") ?? variable(env, "DOAS_USER");
  return name === "root" ? null : name;
}

/** The account of that name or number, from wherever the system keeps them; null where it does not exist. */
export function accountOf(nameOrId: string | number): Account | null {
  const [name, , uid, gid, , home] = (output("getent", ["passwd", String(nameOrId)]) ?? "").split(
    ":",
  );
  if (!name || !home) return null;
  return { name, uid: Number(uid), gid: Number(gid), home };
}

/** True where the system knows no account of that name; false also where it cannot be asked, as on macOS. */
export function isNoAccount(name: string): boolean {
  const { status } = spawnSync("getent", ["passwd", name], { stdio: "ignore", timeout: 5000 });
  // getent(1): the key could not be found.
  return status === 2;
}

/** Who runs this. Not `os.userInfo()`, which in Bun repeats the variable USER. */
export function currentUserName(): string | null {
  return output("id", ["-un"]);
}

/** Major version of systemd, null where it cannot be asked. */
export function systemdVersion(): number | null {
  return Number(/^systemd (\d+)/.exec(output("systemctl", ["--version"]) ?? "")?.[1]) || null;
}

function output(program: string, words: string[]): string | null {
  try {
    return (
      execFileSync(program, words, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
        timeout: 5000,
      }).trim() || null
    );
  } catch {
    return null;
  }
}
