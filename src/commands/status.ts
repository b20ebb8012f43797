import type { ShownStatus, StatusReport } from "../control/api.ts";
import { exitCode, type Command, type Invocation, type Terminal } from "./command.ts";
import { askDaemonIfRunning, paths } from "./running-daemon.ts";

export const command: Command = {
  usage: "status [--json]",
  about:
    "Shows the running daemon, its channels and what waits or failed. Exits 0 only if the daemon runs and every configured channel is ready.",
  options: { json: { description: "One JSON document on standard output" } },
  examples: [
    ["revka status", "for a person"],
    ["revka status --json | jq -r '.channels[].state'", "for a monitor"],
  ],
  async run(invocation) {
    const { options, terminal } = invocation;
    if (options["json"]) return printReport(invocation);
    const { socket } = paths(invocation);
    const shown =
      (await askDaemonIfRunning(socket, (daemon) => daemon.shownStatus())) ??
      (await shownOffline(invocation));
    terminal.out(shown.text);
    if (shown.qr.length > 0) await drawCodes(shown.qr, terminal);
    return shown.ready ? exitCode.fine : exitCode.failed;
  },
};

async function printReport(invocation: Invocation): Promise<number> {
  // Loaded while the daemon answers.
  const reading = import("../control/status-text.ts");
  const { socket } = paths(invocation);
  const report =
    (await askDaemonIfRunning(socket, (daemon) => daemon.status())) ?? (await offline(invocation));
  invocation.terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  return (await reading).isReady(report) ? exitCode.fine : exitCode.failed;
}

async function shownOffline(invocation: Invocation): Promise<ShownStatus> {
  const { shownStatus } = await import("../control/status-text.ts");
  return shownStatus(await offline(invocation), Date.now());
}

async function offline(invocation: Invocation): Promise<StatusReport> {
  const { load } = await import("./load.ts");
  const loaded = await load(invocation);
  const { offlineReport } = await import("./status/offline.ts");
  return offlineReport(loaded, (sentence) => invocation.terminal.err(`warning: ${sentence}\n`));
}

async function drawCodes(codes: readonly string[], terminal: Terminal): Promise<void> {
  const { drawnQr } = await import("../channels/whatsapp-web/qr.ts");
  for (const code of codes) {
    const drawn = await drawnQr(code, { plain: !terminal.color, columns: terminal.columns });
    terminal.out(`\nScan this in WhatsApp: Settings, Linked devices, Link a device.\n${drawn}\n`);
  }
}
