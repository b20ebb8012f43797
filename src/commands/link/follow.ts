import { accessSync, constants, rmSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { ChannelReport, StatusReport } from "../../control/api.ts";
import { dashed } from "../../control/status-text.ts";
import { fileTrouble } from "../../runtime/file-trouble.ts";
import { beginningOf } from "../../runtime/beginning.ts";
import { printable } from "../../telemetry/printable.ts";
import {
  CommandError,
  exitCode,
  UsageError,
  type Invocation,
  type OptionSpec,
  type Terminal,
} from "../command.ts";
import { askDaemon } from "../running-daemon.ts";

const pollMs = 250;
const endings = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** A person finds the phone and the menu in this time, seconds. */
const usualWait = 180;
/** A daemon that was just started or told to link anew has its first code by then, seconds. */
export const firstCode = 20;

export const linkOptions: Record<string, OptionSpec> = {
  png: {
    value: "FILE",
    description: "Keep the QR code in this image too; whoever sees it can link a device",
  },
  wait: {
    value: "SECONDS",
    description: `How long to wait for the phone (${usualWait} on a terminal or with --png, else 0)`,
  },
};

export interface LinkOptions {
  png: string | null;
  /** Seconds; 0 shows the code once. */
  wait: number;
}

export function readLinkOptions({ options, terminal }: Invocation): LinkOptions {
  const png = typeof options["png"] === "string" ? options["png"] : null;
  const wait = Number(options["wait"] ?? (terminal.interactive || png !== null ? usualWait : 0));
  if (!Number.isInteger(wait) || wait < 0) {
    throw new UsageError(`--wait "${options["wait"]}" is not a whole number of seconds`);
  }
  // Now: `revka relink` forgets a session before there is a code to write.
  if (png !== null) refuseUnfit(png);
  return { png, wait };
}

const pngSignature = "\x89PNG\r\n\x1a\n";

/** Where nothing can be written, and what may be somebody's: a PNG image is taken for a code of before. */
function refuseUnfit(png: string): void {
  const there = statSync(png, { throwIfNoEntry: false });
  if (there?.isDirectory()) throw unwritable(png, "it is a folder");
  try {
    accessSync(dirname(resolve(png)), constants.W_OK);
    if (!there || (there.isFile() && (there.size === 0 || isPng(png)))) return;
  } catch (error) {
    throw unwritable(png, fileTrouble(error));
  }
  throw new CommandError(
    `${png} is there already and is no PNG image: name another file, or move it away`,
  );
}

function isPng(path: string): boolean {
  return beginningOf(path, pngSignature.length).toString("latin1") === pngSignature;
}

function unwritable(png: string, reason: string): CommandError {
  return new CommandError(`the code cannot be written to ${png} (${reason}): name another file`);
}

/** The channel that can be linked. Throws {@link CommandError} where none runs. */
function requireWeb({ channels }: StatusReport): ChannelReport {
  const web = channels.find(({ backend }) => backend === "web");
  if (!web) {
    throw new CommandError(
      "no WhatsApp Web channel is running, so nothing can be linked: set session_path in [channels_config.whatsapp] and use the whatsapp-web variant",
    );
  }
  return web;
}

/** Shows every new code until the phone took one. Answers the exit code. */
export async function followLink(
  invocation: Invocation,
  { png, wait }: LinkOptions,
): Promise<number> {
  const { terminal } = invocation;
  const until = Date.now() + (wait || firstCode) * 1000;
  let shown = "";
  let said = "";
  const interrupted = Promise.withResolvers<void>();
  let going = true;
  let written = false;
  // Ctrl-C is the usual way out, a closed window another, and neither must leave the image behind.
  const interrupt = () => {
    going = false;
    interrupted.resolve();
  };
  for (const signal of endings) process.once(signal, interrupt);
  try {
    while (going && Date.now() < until) {
      const web = requireWeb(await askDaemon(invocation, (daemon) => daemon.status()));
      if (web.state === "ready") {
        terminal.out(`Linked${web.linked_as ? ` as ${printable(web.linked_as)}` : ""}.\n`);
        return exitCode.fine;
      }
      if (web.state === "logged_out") throw new CommandError(`logged out: ${web.reason ?? ""}`);
      const code = web.linking?.qr ?? web.linking?.pair_code ?? "";
      if (code !== "" && code !== shown) {
        shown = code;
        await show(web, terminal, png);
        written ||= web.linking?.qr != null;
        if (wait === 0) return exitCode.fine;
      }
      if (web.state === "disconnected" && web.reason && reasonOf(web.reason) !== said) {
        said = reasonOf(web.reason);
        terminal.err(`Not connected: ${printable(web.reason)}\n`);
      }
      const { promise: passed, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, pollMs);
      await Promise.race([passed, interrupted.promise]);
      clearTimeout(timer);
    }
  } finally {
    for (const signal of endings) process.off(signal, interrupt);
    // Never what lay there before any code came.
    if (png !== null && wait > 0 && written) remove(png, terminal);
  }
  if (!going) {
    terminal.err("Stopped; `revka link` shows the current code.\n");
    return exitCode.failed;
  }
  terminal.err(
    shown === ""
      ? "There was no code in time; `revka status` says how WhatsApp Web stands.\n"
      : "The phone took no code in time; `revka link` shows the current one.\n",
  );
  return exitCode.failed;
}

async function show(
  { linking }: ChannelReport,
  terminal: Terminal,
  png: string | null,
): Promise<void> {
  if (!linking) return;
  if (linking.qr !== null) {
    terminal.out("\nScan this in WhatsApp: Settings, Linked devices, Link a device.\n");
    if (png === null) {
      const { drawnQr } = await import("../../channels/whatsapp-web/qr.ts");
      const look = { plain: !terminal.color, columns: terminal.columns };
      terminal.out(`${await drawnQr(linking.qr, look)}\n`);
      return;
    }
    const { renderQrPng } = await import("../../channels/whatsapp-web/qr.ts");
    await renderQrPng(linking.qr, png).catch((error: Error) => {
      throw unwritable(png, fileTrouble(error));
    });
    terminal.out(`The code is in ${png}, good until ${linking.expires_at}.\n`);
  } else {
    terminal.out(
      `\nEnter ${dashed(linking.pair_code ?? "")} in WhatsApp: Settings, Linked devices, Link a device, Link with phone number.\n`,
    );
  }
}

function remove(png: string, terminal: Terminal): void {
  try {
    rmSync(png, { force: true });
  } catch {
    terminal.err(
      `${png} could not be removed: remove it, since whoever sees it can link a device\n`,
    );
  }
}

/** Without the countdown, which changes by the second. */
function reasonOf(reason: string): string {
  return reason.replace(/; next try in .*/, "");
}
