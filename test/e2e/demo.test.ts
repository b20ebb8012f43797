import { describe, expect, test } from "bun:test";
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env["REVKA_BINARY"];
const command = binary ? [binary] : [process.execPath, join(import.meta.dir, "../../src/main.ts")];

interface Run {
  code: number | null;
  out: string;
  err: string;
  /** What is left in the temporary folder. */
  left: string[];
}

/** Runs `revka demo …` with an empty home and temporary folder. */
async function demo(
  args: string[],
  options: {
    input?: string;
    /** Stdin stays open. */
    open?: boolean;
    env?: Record<string, string>;
    /** Gets `signal`, SIGINT when absent, as soon as it has printed this. */
    until?: RegExp;
    signal?: NodeJS.Signals;
  } = {},
): Promise<Run> {
  const root = mkdtempSync(join(tmpdir(), "revka-demo-test-"));
  const folder = join(root, "tmp");
  mkdirSync(folder);
  const [file = "", ...words] = command;
  const child = spawn(file, [...words, "demo", ...args], {
    env: { PATH: process.env["PATH"], HOME: root, TMPDIR: folder, ...options.env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (part: Buffer) => {
    out += part.toString("utf8");
    if (options.until?.test(out)) child.kill(options.signal ?? "SIGINT");
  });
  child.stderr.on("data", (part: Buffer) => (err += part.toString("utf8")));
  child.stdin.write(options.input ?? "");
  if (!options.open) child.stdin.end();
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  const left = readdirSync(folder);
  rmSync(root, { recursive: true, force: true });
  return { code, out, err, left };
}

describe("revka demo", () => {
  test("--once prints the reply and nothing else, fast, and leaves nothing behind", async () => {
    const started = performance.now();
    const run = await demo(["--once", "hello"]);
    expect(run).toEqual({ code: 0, out: "hello\n", err: "", left: [] });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  test("--once answers a text of several pieces whole", async () => {
    const text = Array.from({ length: 900 }, (_, n) => `word${n}`).join(" ");
    const run = await demo(["--once", text]);
    expect(run.code).toBe(0);
    expect(run.out.trim().split(/\s+/)).toEqual(text.split(" "));
  });

  test("the person's own settings, secrets and proxies do not reach it", async () => {
    const dead = "http://127.0.0.1:9";
    const run = await demo(["--once", "hello"], {
      env: {
        REVKA_WHATSAPP_APP_SECRET: "of-production",
        REVKA_CONFIG: "/nowhere.toml",
        REVKA_GATEWAY_PORT: "1",
        HTTP_PROXY: dead,
        http_proxy: dead,
      },
    });
    expect(run).toMatchObject({ code: 0, out: "hello\n" });
  });

  test("lines from a pipe are answered in turn until they end", async () => {
    const run = await demo([], { input: "one\n\ntwo\n" });
    expect(run.code).toBe(0);
    expect(run.out.match(/> .*/g)).toEqual(["> one", "> one", "> two", "> two"]);
    expect(run.out).toEndWith(
      "\n\n2 webhooks, 2 messages, 2 answers: nothing lost, nothing answered twice.\n",
    );
    expect(run.left).toEqual([]);
  });

  test.each(["cloud", "wati"])("%s: an answer of several texts counts as one", async (channel) => {
    const long = Array.from({ length: 900 }, (_, n) => `**word${n}**`).join(" ");
    const run = await demo(["--channel", channel], {
      input: `${long}\n # ${long}\nagain\nagain\n`,
    });
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out.match(/^revka >/gm)?.length).toBeGreaterThan(4);
    expect(run.out).toEndWith(
      "\n4 webhooks, 4 messages, 4 answers: nothing lost, nothing answered twice.\n",
    );
  });

  test("with nobody to type it shows its job: one webhook comes twice and is answered once", async () => {
    const run = await demo([]);
    expect(run.code).toBe(0);
    expect(run.out).toContain("3 webhooks, 2 messages, 2 answers");
  });

  test("Ctrl-C ends it and takes everything along", async () => {
    const run = await demo([], { open: true, until: /removed at the end/ });
    expect(run).toMatchObject({ code: 0, left: [] });
    const pid = Number(/process (\d+)/.exec(run.out)?.[1]);
    expect(() => process.kill(pid, 0)).toThrow();
  });

  test("Ctrl-C after a reply still says what went to and fro, SIGTERM and SIGHUP nothing", async () => {
    const ended = (signal: NodeJS.Signals) =>
      demo([], { input: "hello\n", open: true, until: /revka > hello\n/, signal });
    const said = "1 webhook, 1 message, 1 answer: nothing lost, nothing answered twice.\n";
    const interrupted = await ended("SIGINT");
    expect(interrupted).toMatchObject({ code: 0, err: "", left: [] });
    expect(interrupted.out).toEndWith(`revka > hello\n\n${said}`);
    for (const signal of ["SIGTERM", "SIGHUP"] as const) {
      const run = await ended(signal);
      expect(run).toMatchObject({ code: 0, err: "", left: [] });
      expect(run.out).toEndWith("revka > hello\n");
    }
  });

  test("--channel wati goes the same way through WATI", async () => {
    const run = await demo(["--channel", "wati"]);
    expect(run.code).toBe(0);
    expect(run.out).toContain("3 webhooks, 2 messages, 2 answers");
  });

  test("a blank text is wrong usage, since nothing would answer it", async () => {
    const run = await demo(["--once", " \n "]);
    expect(run.code).toBe(2);
    expect(run.err).toStartWith("revka: --once: there is no text to send\n");
    expect(run.out).toBe("");
  });

  test("an unknown channel is wrong usage", async () => {
    expect(await demo(["--channel", "pigeon"])).toMatchObject({ code: 2, out: "" });
  });
});
