import { afterEach, beforeEach, spyOn } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { revka, temporaryHome } from "./command.ts";

/** Undone after each test, the last first. */
export const undo: (() => unknown)[] = [];
export let home: string;
let bin: string;
export let env: Record<string, string>;
export let config: string;

/** A program of that name, before all others of the machine: it notes its words, then does this. */
export function program(name: string, script = ""): void {
  const noted = `echo "${name} $*" >> '${home}/ran'\n`;
  writeFileSync(join(bin, name), `#!/bin/sh\n${noted}${script}`, { mode: 0o755 });
}
/** What was run of the service manager, in order. */
export function ran(): string[] {
  if (!existsSync(join(home, "ran"))) return [];
  return readFileSync(join(home, "ran"), "utf8")
    .trim()
    .split("\n")
    .filter((line) => !/^(id|getent) |--version$/.test(line));
}

/** A home, and stand-ins for the programs that a service manager consists of, for each test of the file that calls it. */
export function useServiceManagers(): void {
  beforeEach(() => {
    home = temporaryHome(undo);
    bin = join(home, "bin");
    mkdirSync(bin);
    program("id", "echo ada");
    // The accounts of this machine are none of the tests' business.
    program("getent", `[ "$2" = ada ] && echo "ada:x:1000:1000::${home}/ada:/bin/sh"`);
    program("systemctl", '[ "$1" = --version ] && echo "systemd 252 (252.30)"; exit 0');
    for (const name of ["loginctl", "journalctl", "launchctl", "rc-service", "rc-update"]) {
      program(name);
    }
    const path = process.env["PATH"];
    process.env["PATH"] = `${bin}:${path}`;
    undo.push(() => (process.env["PATH"] = path));
    env = { HOME: join(home, "me") };
    config = join(home, "me/.revka/config.toml");
    mkdirSync(join(config, ".."), { recursive: true });
    writeFileSync(config, '[agent]\nkind = "echo"\n', { mode: 0o600 });
  });
  afterEach(() => {
    for (const step of undo.splice(0).toReversed()) step();
  });
}

/** Whose the process seems to be. */
export function as(uid: number): void {
  const spy = spyOn(process, "getuid").mockReturnValue(uid);
  undo.push(() => spy.mockRestore());
}
export const service = (...words: string[]) => revka(["service", ...words], env);
export const mine = ["--user", "--manager", "systemd"];
export const unit = () => join(home, "me/.config/systemd/user/revka.service");
