import { spawn, type ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "../free-port.ts";

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
/** How long a log line may take to come, ms. */
const patienceMs = 20_000;
/** What the config says, and so what the reader sees; the recording itself takes a free port. */
const shownPort = 42617;

/** A person at an empty home who types commands; what they type and read becomes text. */
export class Recording {
  readonly home = makeHome();
  readonly #said: string[] = [];
  readonly #hidden = new Map<string, string>();
  #daemon: { process: ChildProcess; lines: string[]; shown: number } | null = null;
  port = 0;

  /** `runtime` are words for the runtime, before the program. */
  constructor(
    readonly env: Readonly<Record<string, string>> = {},
    readonly runtime: readonly string[] = [],
  ) {}

  get config(): string {
    return join(this.home, ".revka/config.toml");
  }

  /** What stands in the transcript in place of a value that differs from run to run. */
  hide(value: string, shown: string): void {
    this.#hidden.set(value, shown);
  }

  /** A file in the home, such as one that holds a token. */
  file(name: string, text: string): void {
    writeFileSync(join(this.home, name), text, { mode: 0o600 });
  }

  note(text: string): void {
    this.#said.push(`# ${text}`);
  }

  /** Types `revka …` and waits for its end. Answers what it printed. */
  async revka(...words: string[]): Promise<string> {
    const printed = await this.#run(words);
    this.#said.push(`$ revka ${words.map(quoted).join(" ")}`, printed.trimEnd(), "");
    return printed;
  }

  #run(words: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const child = this.#spawn(words);
      let printed = "";
      for (const stream of [child.stdout, child.stderr]) {
        stream?.setEncoding("utf8").on("data", (part: string) => (printed += part));
      }
      child.on("error", reject);
      child.on("close", () => resolve(printed));
    });
  }

  /** Leads the config that `revka init` wrote to a stand-in, and to a free port. */
  async retarget(table: string, ...lines: string[]): Promise<void> {
    this.port = await freePort();
    const text = readFileSync(this.config, "utf8")
      .replace(`port = ${shownPort}`, `port = ${this.port}`)
      .replace(`[${table}]`, [`[${table}]`, ...lines].join("\n"));
    writeFileSync(this.config, text);
  }

  /** Types `revka daemon`, which goes on running, and waits for a line of its log. */
  async daemon(until: string): Promise<void> {
    const child = this.#spawn(["daemon"]);
    const lines: string[] = [];
    this.#daemon = { process: child, lines, shown: 0 };
    let rest = "";
    child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      const parts = (rest + part).split("\n");
      rest = parts.pop() ?? "";
      lines.push(...parts);
    });
    this.#said.push("$ revka daemon");
    await this.log(until);
  }

  /** Shows what the daemon has said since, up to the first line that has `until` in it. */
  async log(until: string): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) throw new Error("no daemon runs");
    const last = Date.now() + patienceMs;
    let end = -1;
    while ((end = daemon.lines.findIndex((l, i) => i >= daemon.shown && l.includes(until))) < 0) {
      if (Date.now() > last || daemon.process.exitCode !== null)
        throw new Error(`no "${until}" in:\n${daemon.lines.join("\n")}`);
      await pause(20);
    }
    this.#said.push(...daemon.lines.slice(daemon.shown, end + 1), "");
    daemon.shown = end + 1;
  }

  /** Presses Ctrl-C. */
  async interrupt(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon) return;
    const ended = new Promise((resolve) => daemon.process.once("close", resolve));
    daemon.process.kill("SIGINT");
    const code = await ended;
    this.#said.push("^C", ...daemon.lines.slice(daemon.shown), `(exit code ${String(code)})`);
    this.#daemon = null;
  }

  end(): void {
    this.#daemon?.process.kill("SIGKILL");
    rmSync(this.home, { recursive: true, force: true });
  }

  /** The whole transcript, fit for a document. */
  text(): string {
    let text = this.#said.join("\n").trimEnd();
    for (const [value, shown] of this.#hidden) text = text.replaceAll(value, shown);
    return text
      .replaceAll(this.home, "/home/you")
      .replaceAll(`:${this.port}`, `:${shownPort}`)
      .replace(/[ \t]+$/gm, "");
  }

  #spawn(words: string[]): ChildProcess {
    const binary = process.env["REVKA_BINARY"];
    const [file, ...args] = binary ? [binary] : [process.execPath, ...this.runtime, main];
    return spawn(file ?? "", [...args, ...words], {
      cwd: this.home,
      env: {
        HOME: this.home,
        PATH: "/usr/bin:/bin",
        NO_COLOR: "1",
        REVKA_LOG_FORMAT: "text",
        ...this.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

/** Where `/tmp` is the usual one, as long as `/home/you`, so that lines break as they would there. */
function makeHome(): string {
  const home = join(tmpdir(), randomBytes(2).toString("hex"));
  try {
    mkdirSync(home, { mode: 0o700 });
    return home;
  } catch {
    return mkdtempSync(join(tmpdir(), "revka-transcript-"));
  }
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `"${word}"`;
}
