import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemonProcess } from "../../src/commands/demo/daemon-process.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { startGraphSimulator } from "../../src/simulator/graph.ts";
import { content } from "../../src/simulator/graph/content.ts";
import { binary } from "../support/binary.ts";
import { runAlone } from "./run.ts";
import { whatsappSettings } from "../../src/simulator/graph/daemon-settings.ts";

const qemu = findExecutable("qemu-aarch64-static") ?? "";
const libraries = "/usr/aarch64-linux-gnu";
const present = qemu !== "" && existsSync(libraries);
const needs = "needs qemu-user-static, libc6-arm64-cross, libstdc++6-arm64-cross";

/** An emulated start takes a second or more. */
const timeoutMs = 60_000;

describe.skipIf(!present)(`the arm64 executable under emulation (${needs})`, () => {
  let scratch = "";
  let revka: string[] = [];
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), "revka-arm64-test-"));
    revka = [qemu, "-L", libraries, await binary("default", "linux-arm64")];
  }, timeoutMs);
  afterAll(() => rmSync(scratch, { recursive: true, force: true }));

  test("tells its target", async () => {
    const run = await runAlone([...revka, "--version"]);
    expect(run).toMatchObject({ code: 0, err: "" });
    expect(run.out).toContain("(default, linux-arm64, ");
  }, 20_000);

  test("writes the schema of the configuration", async () => {
    const run = await runAlone([...revka, "config", "schema"]);
    expect(JSON.parse(run.out)).toMatchObject({ type: "object" });
  }, 20_000);

  test(
    "runs the demo, whose daemon is emulated too",
    async () => {
      // The demo starts its own file again, which only an arm64 machine can: a preloaded line gives it this script.
      const again = join(scratch, "revka");
      writeFileSync(again, `#!/bin/sh\nexec ${revka.join(" ")} "$@"\n`);
      chmodSync(again, 0o755);
      const preload = join(scratch, "preload.js");
      writeFileSync(preload, `process.execPath = ${JSON.stringify(again)};`);
      const run = await runAlone([...revka, "demo", "--once", "hello"], {
        env: { BUN_OPTIONS: `--preload=${preload}` },
      });
      expect(run).toMatchObject({ code: 0, out: "hello\n", err: "" });
    },
    timeoutMs,
  );

  test(
    "answers a signed webhook of a platform on this side of the emulation",
    async () => {
      const graph = await startGraphSimulator({});
      const { account } = graph;
      const [file = "", ...args] = revka;
      const home = join(scratch, "home");
      const daemon = await startDaemonProcess({
        command: { file, args },
        home,
        config: {
          agent: { kind: "echo" },
          channels_config: {
            whatsapp: {
              ...whatsappSettings(account, graph.url),
              allowed_numbers: ["+15550001111"],
            },
          },
        },
        env: { PATH: process.env["PATH"], HOME: home, TMPDIR: scratch },
        isUp: (status) => status === 200,
        readyTimeoutMs: timeoutMs,
      });
      try {
        graph.settings.webhooks.url = `${daemon.url}/whatsapp`;
        expect(await graph.handshake()).toMatchObject({ verified: true });
        graph.write({
          from: { phone: "15550001111", name: "Ada" },
          content: content.text("grüße 👋"),
        });
        const [send] = await graph.waitForSends({ count: 1, timeoutMs: 20_000 });
        expect(send?.text).toBe("grüße 👋");
      } finally {
        const { code } = await daemon.stop();
        await graph.stop();
        expect(code).toBe(0);
      }
    },
    timeoutMs,
  );
});
