import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readRevision } from "../../scripts/build/revision.ts";
import { hostTarget } from "../../scripts/build/target.ts";
import { markersIn, webMarkers } from "../../scripts/build/unwanted.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { stringify } from "smol-toml";
import { startGraphSimulator } from "../../src/simulator/graph.ts";
import { cloudConfig } from "../e2e/support/cloud.ts";
import { asked, proxyKinds } from "../e2e/support/proxies.ts";
import { binary, root } from "../support/binary.ts";
import { runAlone } from "./run.ts";

const scratch = mkdtempSync(join(tmpdir(), "revka-executable-test-"));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A program of one line, compiled as Bun does by itself: what a binary weighs and reads without anything of Revka. */
async function bareExecutable(line: string): Promise<string> {
  const source = join(scratch, "bare.ts");
  const outfile = join(scratch, "bare");
  writeFileSync(source, line);
  await Bun.build({ entrypoints: [source], target: "bun", minify: true, compile: { outfile } });
  return outfile;
}

/** What a folder that Revka is started in may hold. Each would be seen. */
const traps = {
  ".env": "REVKA_CONFIG=/trapped.toml\nREVKA_HOME=/trapped\n",
  ".env.production": "REVKA_CONFIG=/trapped.toml\n",
  "bunfig.toml": 'preload = ["./preload.js"]\n',
  "preload.js":
    'console.log("trapped by bunfig.toml"); process.env.REVKA_CONFIG = "/trapped.toml";\n',
};

describe("the default executable", () => {
  test("tells version, variant, target and commit, from an empty folder without node_modules", async () => {
    const run = await runAlone([await binary("default"), "--version"]);
    const { version } = readRevision(root);
    expect(run.err).toBe("");
    expect(run.out).toMatch(
      new RegExp(
        `^revka ${version} \\(default, ${hostTarget()}, ([0-9a-f]{12}(\\+changes)?|unknown)\\)\n$`,
      ),
    );
  });

  test("carries a message from end to end, from an empty folder, in under two seconds", async () => {
    const run = await runAlone([await binary("default"), "demo", "--once", "hello"]);
    expect(run).toMatchObject({ code: 0, out: "hello\n", err: "" });
    expect(run.tookMs).toBeLessThan(2000);
  });

  test("holds nothing of Baileys or libsignal", async () => {
    expect(markersIn(await binary("default"))).toEqual([]);
    const { out } = await runAlone([await binary("default"), "licenses"]);
    expect(out).toContain("valibot 1");
    expect(out).not.toMatch(/\bA?GPL|baileys \d|libsignal \d/);
  });

  test("weighs at most 1.05 times the bare runtime", async () => {
    const bare = statSync(await bareExecutable('console.log("hello")')).size;
    expect(statSync(await binary("default")).size / bare).toBeLessThan(1.05);
  });

  test("does not tell where it was built", async () => {
    expect(markersIn(await binary("default"), [root])).toEqual([]);
  });

  test("goes through a proxy, whose parsers are partly left out", async () => {
    const graph = await startGraphSimulator();
    const proxy = await proxyKinds["http"]!();
    try {
      const config = cloudConfig(graph.url, {
        agent: { kind: "echo" },
        whatsapp: { proxy_url: proxy.url },
      });
      const run = await runAlone(
        [await binary("default"), "doctor", "--json", "--config", "config.toml"],
        { files: { "config.toml": stringify(config) } },
      );
      expect(run.out).toContain(graph.account.verifiedName);
      expect(asked(proxy, graph)).toBe(true);
    } finally {
      await proxy.close();
      await graph.stop();
    }
  });

  const emulator = hostTarget() === "linux-x64" ? findExecutable("qemu-x86_64-static") : null;
  test.skipIf(!emulator)(
    "runs on a processor without AVX (needs linux-x64, qemu-user-static)",
    async () => {
      const old = [emulator ?? "", "-cpu", "Nehalem"];
      const run = await runAlone([...old, await binary("default"), "config", "schema"]);
      expect(run).toMatchObject({ code: 0 });
      expect(JSON.parse(run.out)).toMatchObject({ type: "object" });
    },
    20_000,
  );

  test("obeys no .env and no bunfig.toml of the folder that it is started in", async () => {
    const options = { files: traps };
    const bare = await bareExecutable("console.log(process.env.REVKA_CONFIG)");
    // The traps work: a binary that is built without care steps into both.
    expect((await runAlone([bare], options)).out).toBe("trapped by bunfig.toml\n/trapped.toml\n");

    const run = await runAlone([await binary("default"), "status", "--json"], options);
    expect(run.err).toContain(".revka/config.toml");
    expect(run.out + run.err).not.toContain("trapped");
  });
});

describe("the whatsapp-web executable", () => {
  test("says which variant it is, and that and why it is under the GPL", async () => {
    const file = await binary("whatsapp-web");
    expect((await runAlone([file, "--version"])).out).toContain("(whatsapp-web, ");
    const { out } = await runAlone([file, "licenses"]);
    expect(out).toMatch(/libsignal \(GPL-3\.0/);
    expect(out).toContain("the Signal protocol");
    expect(out).toContain("@whiskeysockets/baileys 7");
  });

  test("holds every marker whose absence shows that the default does not", async () => {
    expect(markersIn(await binary("whatsapp-web"))).toEqual([...webMarkers]);
  });

  test("obeys no .env and no bunfig.toml either", async () => {
    const run = await runAlone([await binary("whatsapp-web"), "status", "--json"], {
      files: traps,
    });
    expect(run.err).toContain(".revka/config.toml");
    expect(run.out + run.err).not.toContain("trapped");
  });
});
