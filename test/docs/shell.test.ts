import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hostTarget } from "../../scripts/build/target.ts";
import { compress } from "../../scripts/release/compress.ts";
import { tarOf } from "../../scripts/release/tar.ts";
import { canTrace } from "../../scripts/torture/power.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { startGraphSimulator, type GraphSimulator } from "../../src/simulator/graph.ts";
import { cloudConfig } from "../e2e/support/cloud.ts";
import { startDaemon, type TestDaemon } from "../e2e/support/daemon.ts";
import { allBlocks, root } from "./documents.ts";
import { linesOf, makeClone, makeMachine, networkOf, type Machine, type Ran } from "./shell.ts";

/** Who runs a line. Of the rules, the first that fits counts; what fits none is run with a daemon that is up. */
type Way =
  "checkout" | "release" | "trial" | "new home" | "stopped" | { by: string } | { not: string };

const rules: readonly [RegExp, Way][] = [
  [/^npx .* run test$/, { by: "scripts/test.ts" }],
  [/^npx .* run demo$/, { by: "test/docs/console.test.ts" }],
  [/^sh install\.sh --base-url /, { by: "test/release/install-download.test.ts" }],
  [/^revka daemon$/, { by: "test/docs/transcripts.test.ts" }],
  [/^revka init$/, { by: "test/commands/init/prompt.test.ts" }],
  [/^revka link( --png code\.png)?$/, { by: "test/e2e/whatsapp-web-daemon.test.ts" }],
  [/^revka relink$/, { by: "test/e2e/whatsapp-web-trouble.test.ts" }],
  [/^revka redeliver /, { by: "test/e2e/operate-control.test.ts" }],
  [/^bun run (torture|web-kill)/, "trial"],
  [/^bun test /, { by: "scripts/test.ts" }],
  [/^bun run (slow-agent|long-run)/, { not: "judges times, which other work on a machine spoils" }],
  [/^xattr /, { not: "is a program of macOS" }],
  [/graph\.facebook\.com/, { not: "is a call to Meta" }],
  [/^(sha256sum|shasum) /, "release"],
  [/^(npx|git|tar|rsync|ssh) |^sh install\.sh|^sudo install |^cat dist\//, "checkout"],
  [/^revka init --/, "new home"],
  [/^(sudo )?(cp|rm|mkdir|chmod) /, "stopped"],
];

const lines = allBlocks
  .filter(({ language, name }) => language === "sh" && name === "")
  .flatMap(({ text }) => linesOf(text));
const wayOf = (line: string): Way | "running" =>
  rules.find(([pattern]) => pattern.test(line))?.[1] ?? "running";
/** Each once, in the order of the documents. */
const linesFor = (way: Way | "running") => [
  ...new Set(lines.filter((line) => wayOf(line) === way)),
];

const place = mkdtempSync(join(tmpdir(), "revka-shell-"));
const undo: (() => unknown)[] = [() => rmSync(place, { recursive: true, force: true })];
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

async function fine(ran: Promise<Ran>, line: string): Promise<Ran> {
  const { code, said, out } = await ran;
  expect(code, `$ ${line}\n${said}`).toBe(0);
  return { code, said, out };
}

test("what is run elsewhere is run there, and every rule is for a line", () => {
  for (const [pattern, way] of rules) {
    expect(lines.filter((line) => pattern.test(line)).length, String(pattern)).toBeGreaterThan(0);
    if (typeof way === "object" && "by" in way) {
      expect(existsSync(join(root, way.by)), way.by).toBeTrue();
    }
  }
});

describe.skipIf(!findExecutable("git"))("in a fresh clone (needs git)", () => {
  const machine = makeMachine(join(place, "builder"));
  const clone = join(place, "builder/revka");
  const built = linesFor("checkout");
  const make = /^npx .* (install --frozen-lockfile|run build|run release)/;
  /** For this machine, and this commit. */
  const adapted = (line: string) =>
    line.replaceAll("linux-x64", hostTarget()).replace(/^git checkout \w+$/, "git checkout HEAD");
  const release = join(clone, "dist/release");
  const network = networkOf(process.env);

  beforeAll(() => makeClone(machine, clone));

  for (const line of built.filter((one) => make.test(one))) {
    test(
      line,
      async () => {
        await fine(machine.run(adapted(line), clone, network), line);
        const [target] = /(?<=--target )\S+/.exec(line) ?? [];
        const variant = line.includes("whatsapp-web") ? "-whatsapp-web" : "";
        if (!line.includes(" run build")) return;
        expect(readdirSync(join(clone, "dist"))).toContain(
          `revka${target ? `-${target}` : ""}${variant}`,
        );
      },
      60_000,
    );
  }

  for (const line of linesFor("release")) {
    const [program = ""] = line.split(" ");
    test.skipIf(!findExecutable(program))(`${line} (needs ${program})`, async () => {
      const { out } = await fine(machine.run(line, release), line);
      expect(out).toMatch(new RegExp(`^revka-\\S+-${hostTarget()}: OK$`, "m"));
    });
  }

  const rest = built.filter((one) => !make.test(one));
  for (const line of rest) {
    const packed = line.startsWith("tar ");
    test.skipIf(packed && !findExecutable("xz"))(
      packed ? `${line} (needs xz)` : line,
      async () => {
        if (packed) {
          const [name = ""] = /revka-[\w.-]+(?=\.tar\.xz)/.exec(adapted(line)) ?? [];
          const content = Buffer.from("#!/bin/sh\n");
          const pieces = tarOf([{ path: `${name}/revka`, content, executable: true }], 0);
          await compress(pieces, join(clone, `${name}.tar.xz`));
        }
        const { out } = await fine(machine.run(adapted(line), clone), line);
        if (line.startsWith("sh install.sh")) {
          expect(out).toMatch(
            line.includes("--dry-run")
              ? / would become \S+\/\.local\/bin\/revka\n/
              : new RegExp(
                  `^Installed revka \\S+ \\(${line.includes("whatsapp-web") ? "whatsapp-web" : "default"}, `,
                  "m",
                ),
          );
        }
        if (line.includes("/usr/local/bin/revka")) {
          expect(existsSync(join(machine.system, "usr/local/bin/revka"))).toBeTrue();
          rmSync(join(machine.system, "usr/local/bin/revka"));
        }
      },
      20_000,
    );
  }
});

describe("a trial of one round", () => {
  const machine = makeMachine(join(place, "trial"));
  const short = (line: string) =>
    `${line.replace(/ --rounds \d+/, "").replace(/ --binary \S+/, "")} --rounds 1`;
  for (const line of linesFor("trial")) {
    const traced = line.includes("power");
    test.skipIf(traced && !canTrace())(
      traced ? `${line} (needs strace)` : line,
      async () => {
        await fine(machine.run(short(line), root), line);
      },
      60_000,
    );
  }
});

describe("at an account", () => {
  const machine: Machine = makeMachine(join(place, "account"));
  const home = join(machine.home, ".revka");
  let graph: GraphSimulator;
  let daemon: TestDaemon;

  beforeAll(async () => {
    const credentials = join(machine.system, "etc/revka/credentials");
    mkdirSync(credentials, { recursive: true, mode: 0o700 });
    writeFileSync(join(credentials, "revka-whatsapp-app-secret"), "a secret", { mode: 0o600 });
    graph = await startGraphSimulator();
    undo.push(() => graph.stop());
    const config = cloudConfig(graph.url, {
      whatsapp: { allowed_numbers: ["+15551234567"], notification_target: "+15551234567" },
    });
    daemon = await startDaemon({ config, home, env: { HOME: machine.home } });
    undo.push(() => daemon[Symbol.asyncDispose]());
    graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
  });

  /** A service manager of this machine is left alone: it is shown what would be done. */
  const adapted = (line: string) =>
    line
      .replace(/revka service \w+/, "$& --dry-run --manager systemd")
      .replace("--credentials ", `--credentials ${machine.system}`)
      .replace("http://127.0.0.1:42617", daemon.url)
      .replace("YOUR-TOKEN", graph.account.verifyToken);

  for (const line of linesFor("running")) {
    test(
      line,
      async () => {
        const { out } = await fine(machine.run(adapted(line), machine.home), line);
        if (line.startsWith("curl ")) expect(out).toMatch(/^HTTP\/1\.1 200 [^]*\r\n\r\n1234$/);
        if (line.includes("--json")) expect(() => JSON.parse(out)).not.toThrow();
      },
      20_000,
    );
  }

  for (const line of linesFor("new home")) {
    test(line, async () => {
      const fresh = join(place, "fresh");
      mkdirSync(fresh);
      await fine(machine.run(line, fresh, { HOME: fresh }), line);
      expect(existsSync(join(fresh, ".revka/config.toml"))).toBeTrue();
      rmSync(fresh, { recursive: true });
    });
  }

  /** The home goes last. */
  const stopped = linesFor("stopped").toSorted(
    (a, b) => Number(/^rm -r /.test(a)) - Number(/^rm -r /.test(b)),
  );
  test("with the daemon stopped: ".concat(stopped.join("; ")), async () => {
    expect(await daemon.stop()).toMatchObject({ code: 0 });
    cpSync(join(home, "revka.db"), join(machine.home, "copy.db"));
    writeFileSync(join(home, "whatsapp-session.db"), "");
    writeFileSync(join(home, "whatsapp-session.db.key"), "");
    writeFileSync(join(machine.system, "usr/local/bin/revka"), "");
    for (const line of stopped) await fine(machine.run(line, machine.home), line);
    expect(existsSync(home)).toBeFalse();
    expect(readdirSync(join(machine.system, "mnt/backup")).length).toBe(2);
    expect(readdirSync(join(machine.system, "usr/local/bin"))).toEqual([]);
    expect(existsSync(join(machine.home, ".revka.before/config.toml"))).toBeTrue();
  });
});
