import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openrcPlan, openrcScript } from "../../src/service/openrc.ts";
import { serviceVerbs, type ServiceRequest } from "../../src/service/plan.ts";
import { temporaryFolder } from "../support/store.ts";

const request: ServiceRequest = {
  executable: ["/usr/local/bin/revka"],
  scope: "system",
  account: "ada",
  home: "/home/ada/it's & <that>",
  config: "/home/ada/a b.toml",
  writable: [],
  credentials: [],
  memoryMax: null,
  systemdVersion: null,
};

let folder: ReturnType<typeof temporaryFolder>;
let file: string;
beforeEach(() => {
  folder = temporaryFolder();
  file = join(folder.path, "revka");
});
afterEach(() => folder.remove());

/** Reads the script into a shell as openrc-run does, then does this there. */
function inScript(lines: string, changes: Partial<ServiceRequest> = {}) {
  const log = join(folder.path, "revka.log");
  const script = openrcScript({ ...request, ...changes });
  writeFileSync(file, script.replaceAll("/var/log/revka.log", log));
  const { stdout, stderr, exitCode } = Bun.spawnSync(["sh", "-c", `. ${file}; ${lines}`]);
  return { out: stdout.toString().trimEnd(), err: stderr.toString(), code: exitCode, log };
}

describe("the script", () => {
  test("is sound shell and hands over each word whole", () => {
    // As the sh/supervise-daemon.sh of OpenRC does: it evaluates these in the shell.
    const words = `eval set -- $command $command_args; printf '%s\\n' "$@" "$REVKA_HOME"`;
    expect(inScript(words).out.split("\n")).toEqual([
      "/usr/local/bin/revka",
      "daemon",
      "--config",
      "/home/ada/a b.toml",
      "/home/ada/it's & <that>",
    ]);
    const odd = {
      executable: ["/opt/a b/$HOME's/revka", "/opt/a b/main.ts"],
      home: "/srv/a b/$HOME's/revka",
    } as const;
    expect(inScript(words, odd).out.split("\n")).toEqual([
      ...odd.executable,
      "daemon",
      "--config",
      "/home/ada/a b.toml",
      odd.home,
    ]);
    expect(Bun.spawnSync(["sh", "-n", file]).exitCode).toBe(0);
  });

  test("needs no other service: where the network fails Revka starts all the same", () => {
    const noted = ["need", "use", "after"].map((word) => `${word}() { echo ${word} "$@"; }`);
    expect(inScript(`${noted.join("; ")}; depend`).out).toBe("use localmount net dns clock logger");
  });

  test("sets nothing that OpenRC 0.45 does not know, and never gives up", () => {
    const set = openrcScript(request).matchAll(/^(\w+)=/gm);
    expect([...set].map(([, name]) => name)).toEqual([
      ...["name", "description", "supervisor", "command", "command_args", "command_user", "umask"],
      ...["error_log", "output_log", "respawn_delay", "respawn_max", "respawn_period", "retry"],
    ]);
    expect(inScript('echo "$respawn_delay $respawn_max"').out).toBe("2 0");
  });

  test.each([
    ["of a daemon that runs on", 0, "", "0", process.pid],
    ["whose values the asker may not read", 0, "", "", ""],
    [
      "of one that was started anew",
      0,
      "started anew 3 times, the last time at noon",
      "3",
      process.pid,
    ],
    ["of one that is down at the moment", 32, "is about to be started anew", "0", 4_194_305],
  ])("tells the status %s", (_, code, said, start_count, child_pid) => {
    const values = `start_count='${start_count}'; child_pid='${child_pid}'; start_time=noon`;
    const ran = inScript(`${values}
      default_status() { return 0; }
      service_get_value() { eval echo \\$$1; }
      ewarn() { echo "$@"; }
      eerror() { echo "$@"; }
      status`);
    expect(ran).toMatchObject({ code, err: "" });
    expect(ran.out).toContain(said);
    if (said === "") expect(ran.out).toBe("");
    expect(inScript("default_status() { return 3; }; status").code).toBe(3);
  });

  test.each([
    ["what has its home", request.home, false],
    ["not what has its number by now", `${request.home}-2`, true],
  ])("a stop ends what a killed supervisor has left: %s", async (_, home, lives) => {
    writeFileSync(file, openrcScript(request));
    const left = Bun.spawn(["sleep", "60"], { env: { ...process.env, REVKA_HOME: home } });
    try {
      const stop = `default_stop() { return 0; }; service_get_value() { echo ${left.pid}; }; stop`;
      // Not waited for in place: whoever started what is left must take note of its end.
      const ran = Bun.spawn(["sh", "-c", `. ${file}; ${stop}`]);
      expect(await ran.exited).toBe(0);
      expect(left.exitCode === null && left.signalCode === null).toBe(lives);
    } finally {
      left.kill("SIGKILL");
    }
  });

  test("a stop that has stopped it is silent, one that fails is a failure", () => {
    const stop = "service_get_value() { echo 4194305; }; stop";
    expect(inScript(`default_stop() { return 0; }; ${stop}`)).toMatchObject({ code: 0, err: "" });
    expect(inScript(`default_stop() { return 1; }; ${stop}`).code).toBe(1);
    const none = "default_stop() { return 0; }; service_get_value() { :; }; stop";
    expect(inScript(none)).toMatchObject({ code: 0, err: "" });
  });

  test.each([
    [0, false],
    [10_485_759, false],
    [10_485_760, true],
  ])("at a start, a log of %d bytes begins anew: %p", (bytes, anew) => {
    writeFileSync(join(folder.path, "revka.log"), Buffer.alloc(bytes));
    const { out, code, log } = inScript('checkpath() { echo "$@"; }; start_pre');
    expect({ out, code }).toEqual({ out: `--file --owner ada --mode 0600 ${log}`, code: 0 });
    expect(existsSync(`${log}.1`)).toBe(anew);
    expect(existsSync(log)).toBe(!anew);
  });

  test("needs an account, and hands over no credentials", () => {
    expect(() => openrcScript({ ...request, account: null })).toThrow("--run-as");
    const credentials = [{ name: "revka-session-key", file: "/k" }];
    expect(() => openrcScript({ ...request, credentials })).toThrow("credentials");
    expect(() => openrcScript({ ...request, home: "/a\nb" })).toThrow("control character");
  });
});

describe("the plan", () => {
  test("knows no user services", () => {
    expect(() => openrcPlan("install", { ...request, scope: "user" })).toThrow("--user");
  });

  test.each(serviceVerbs)("%s has commands", (verb) => {
    const plan = openrcPlan(verb, request);
    expect([...plan.before, ...plan.after].length).toBeGreaterThan(0);
    // OpenRC calls a daemon started that has not said a word yet.
    expect(plan.waits).toBe(["install", "start", "restart"].includes(verb));
  });

  test("makes the home, which the script leaves as it is, and takes away all that it has written", () => {
    const { folders, files } = openrcPlan("install", request);
    expect(folders).toEqual([{ path: request.home, mode: 0o700 }]);
    const log = "/var/log/revka.log";
    expect(openrcPlan("uninstall", request).remove).toEqual([
      ...files.map(({ path }) => path),
      log,
      `${log}.1`,
    ]);
    const logrotate = files.find(({ path }) => path === "/etc/logrotate.d/revka");
    expect(logrotate?.content).toStartWith(`${log} {\n`);
  });

  test("takes it out of the runlevel that it was put into, whichever is the present one", () => {
    const level = (words: readonly string[]) => words.slice(2).join(" ");
    const added = openrcPlan("install", request).after[0]?.command ?? [];
    const removed = openrcPlan("uninstall", request).before[1]?.command ?? [];
    expect([added, removed].map(level)).toEqual(["revka default", "revka default"]);
  });
});
