import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Variant } from "../build/variant.ts";
import { startDaemonProcess } from "../../src/commands/demo/daemon-process.ts";

/** The port of Discard (RFC 863), which hardly a machine runs; whether anybody answers is no part of a start. */
const nowhere = "127.0.0.1:9";

/** What a start is recorded with: the channel that most people of this variant use. */
const channelOf: Record<Variant, (home: string) => Record<string, unknown>> = {
  default: () => ({
    access_token: "made-up-token",
    phone_number_id: "106540352242922",
    verify_token: "made-up-verify-token",
    app_secret: "0123456789abcdef0123456789abcdef",
    api_base_url: `http://${nowhere}`,
    allowed_numbers: ["*"],
  }),
  "whatsapp-web": (home) => ({
    session_path: join(home, "session.db"),
    ws_url: `ws://${nowhere}/`,
    allowed_numbers: ["*"],
  }),
};

/**
 * The functions that a daemon of this executable runs from its start to its end, and then those of `status`, in the order
 * of their first calls: hashes, in the file format of Bun's `bytecodeOrder`. Throws where the daemon does not come up.
 */
export async function recordStart(executable: string, variant: Variant): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), "revka-start-order-"));
  const recorded = { daemon: join(scratch, "daemon"), status: join(scratch, "status") };
  const home = join(scratch, "home");
  const env = (file: string) => ({ HOME: home, REVKA_HOME: home, BUN_BYTECODE_ORDER_OUT: file });
  try {
    const daemon = await startDaemonProcess({
      command: { file: executable, args: [] },
      home,
      config: { agent: { kind: "echo" }, channels_config: { whatsapp: channelOf[variant](home) } },
      env: env(recorded.daemon),
    });
    try {
      spawnSync(executable, ["status"], { env: env(recorded.status), timeout: 10_000 });
    } finally {
      await daemon.stop();
    }
    const functions = Object.values(recorded).flatMap(functionsIn);
    return ["v2", ...new Set(functions), ""].join("\n");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The rest (what else the executable holds, strings, modules) makes no difference to a start: measured. */
export function functionsIn(file: string): string[] {
  const lines = readFileSync(file, "utf8").split("\n");
  if (lines[0] !== "v2") throw new Error(`${file} is of another format than Bun 1.4.5 writes`);
  return lines.filter((line) => line.startsWith("F "));
}
