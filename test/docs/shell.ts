import { spawn } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findExecutable } from "../../src/runtime/executable.ts";
import { root } from "./documents.ts";

/** A machine made of folders: what the documents have a shell do to the real one happens below `place`. */
export interface Machine {
  /** The home of its account. */
  home: string;
  /** Where its `/usr/local`, `/etc` and `/mnt` are. */
  system: string;
  /** The home of the other machine, to which files are carried. */
  pi: string;
  /** Runs a line in a shell there. */
  run(line: string, folder: string, env?: Record<string, string>): Promise<Ran>;
}

export interface Ran {
  code: number | null;
  out: string;
  /** Both streams, as they came. */
  said: string;
}

/** What an installation needs to know of the network, and where its packages may lie already. */
export function networkOf(env: Record<string, string | undefined>): Record<string, string> {
  const named = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    value !== undefined && network.test(name) ? [[name, value]] : [],
  );
  const cache = join(homedir(), ".bun/install/cache");
  return { BUN_INSTALL_CACHE_DIR: cache, ...Object.fromEntries(named) };
}
const network =
  /^(npm_config_.*|bun_config_.*|bun_install_cache_dir|(https?|no|all)_proxy|node_extra_ca_certs|ssl_cert_.*)$/i;

/** Changes files of the system by the program of that name. */
const changing = ["install", "rm", "mkdir", "chmod", "cp"];

export function makeMachine(place: string): Machine {
  const [bin, home, system, pi] = ["bin", "home", "system", "pi"].map((name) => join(place, name));
  if (!bin || !home || !system || !pi) throw new Error("a machine has four folders");
  for (const folder of [bin, home, system, pi]) mkdirSync(folder, { recursive: true });
  for (const folder of ["usr/local/bin", "etc", "mnt/backup"]) {
    mkdirSync(join(system, folder), { recursive: true });
  }
  const program = (name: string, body: string) => {
    writeFileSync(join(bin, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(bin, name), 0o755);
  };
  const binary = process.env["REVKA_BINARY"];
  const revka = binary ? `"${binary}"` : `"${process.execPath}" "${root}/src/main.ts"`;
  program("revka", `exec ${revka} "$@"`);
  program("bun", `exec "${process.execPath}" "$@"`);
  program("npx", '[ "$1 $2" = "-y bun@1.4.5" ] || exit 127\nshift 2\nexec bun "$@"');
  program("sudo", 'exec "$@"');
  // Else the installer would take the real /usr/local/bin where root runs the tests.
  program("id", "echo 1000");
  program("rsync", `exec /bin/cp "$1" "${pi}/\${2##*:}"`);
  program("ssh", `shift\ncd "${pi}" && exec "$@"`);
  for (const name of changing) {
    const real = findExecutable(name, "/usr/bin:/bin");
    program(
      name,
      `for a do
  case $a in /usr/local/* | /etc/* | /mnt/*) a="${system}$a" ;; esac
  shift
  set -- "$@" "$a"
done
exec ${real} "$@"`,
    );
  }
  return {
    home,
    system,
    pi,
    run: (line, folder, env = {}) =>
      new Promise((resolve, reject) => {
        const child = spawn("/bin/sh", ["-c", line], {
          cwd: folder,
          env: {
            HOME: home,
            PATH: `${bin}:/usr/bin:/bin`,
            NO_COLOR: "1",
            TMPDIR: place,
            ...env,
          },
          stdio: ["ignore", "pipe", "pipe"],
        });
        const ran: Ran = { code: null, out: "", said: "" };
        child.stdout.setEncoding("utf8").on("data", (part: string) => {
          ran.out += part;
          ran.said += part;
        });
        child.stderr.setEncoding("utf8").on("data", (part: string) => (ran.said += part));
        child.on("error", reject);
        child.on("close", (code) => resolve({ ...ran, code }));
      }),
  };
}

/** The files of the source as a fresh clone has them, in a repository of one commit. */
export async function makeClone(machine: Machine, folder: string): Promise<void> {
  const names =
    "src scripts package.json bun.lock bunfig.toml tsconfig.json LICENSE README.md install.sh";
  for (const name of names.split(" ")) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  writeFileSync(join(folder, ".gitignore"), "node_modules\ndist\n");
  const author = "-c user.name=Ada -c user.email=ada@example.com";
  const made = await machine.run(
    `git init --quiet && git add . && git ${author} commit --quiet --message=One`,
    folder,
  );
  if (made.code !== 0) throw new Error(made.said);
}

/** The command lines of a snippet, comments gone, lines that go on joined. */
export function linesOf(text: string): string[] {
  return text
    .replace(/\\\n\s*/g, " ")
    .split("\n")
    .map((line) => line.replace(/(^|\s)#.*$/, "").trim())
    .filter((line) => line !== "");
}
