import type { StatusReport } from "../control/api.ts";
import { exitCode, type Command, type Invocation } from "./command.ts";
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
    // Loaded while the daemon answers.
    const rendering = options["json"] ? null : import("./status/render.ts");
    const report =
      (await askDaemonIfRunning(paths(invocation).socket, (daemon) => daemon.status())) ??
      (await offline(invocation));
    if (!rendering) {
      terminal.out(`${JSON.stringify(report, null, 2)}\n`);
    } else {
      const { renderStatus } = await rendering;
      terminal.out(renderStatus(report, Date.now()));
      await drawCodes(report, invocation);
    }
    return isReady(report) ? exitCode.fine : exitCode.failed;
  },
};

/** A running daemon with every configured channel ready; with no channel at all, nobody is served. */
export function isReady({ daemon, channels }: StatusReport): boolean {
  for (const { state } of channels) if (state !== "ready") return false;
  return daemon.running && channels.length > 0;
}

async function offline(invocation: Invocation): Promise<StatusReport> {
  const { load } = await import("./load.ts");
  const { config, path } = await load(invocation);
  const { offlineReport } = await import("./status/offline.ts");
  return offlineReport(config, path);
}

async function drawCodes(report: StatusReport, { terminal }: Invocation): Promise<void> {
  for (const { linking } of report.channels) {
    if (!linking?.qr) continue;
    const { renderQr } = await import("../channels/whatsapp-web/qr.ts");
    const code = await renderQr(linking.qr, { plain: !terminal.color });
    terminal.out(`\nScan this in WhatsApp: Settings, Linked devices, Link a device.\n${code}\n`);
  }
}
