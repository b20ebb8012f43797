import { DEFAULT_CONNECTION_CONFIG, type WAVersion } from "@whiskeysockets/baileys";
import { readBody } from "../../net/body.ts";
import { startDeadline } from "../../net/deadline.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** The service worker of WhatsApp Web names its revision. */
const SOURCE = "https://web.whatsapp.com/sw.js";
const DEADLINE_MS = 5_000;
const LONGEST_BYTES = 4 * 1024 * 1024;
/** Without a browser's header the server answers with a page for people. */
const HEADERS = {
  "sec-fetch-site": "none",
  "user-agent":
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
};

export const bundledVersion: WAVersion = DEFAULT_CONNECTION_CONFIG.version;

/** The revision a service worker names, as the version a client gives; null where it names none. */
export function versionIn(script: string): WAVersion | null {
  const revision = /\\?"client_revision\\?":\s*(\d{6,12})/.exec(script)?.[1];
  return revision === undefined ? null : [2, 3000, Number(revision)];
}

/**
 * The current version of WhatsApp Web: an old one is refused with 405. Never older than the bundled one, which is also
 * the answer where the server cannot be asked in time. Never throws.
 */
export async function currentVersion(options: {
  fetch: Fetch;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): Promise<WAVersion> {
  const deadline = startDeadline(options.clock, DEADLINE_MS, options.signal);
  try {
    const response = await options.fetch(SOURCE, { headers: HEADERS, signal: deadline.signal });
    const body = await readBody(response, LONGEST_BYTES);
    const found = response.ok ? versionIn(Buffer.from(body).toString("utf8")) : null;
    if (found && found[2] >= bundledVersion[2]) return found;
  } catch {
    // the bundled version is the answer
  } finally {
    deadline.cancel();
  }
  options.log.info(
    { version: bundledVersion.join(".") },
    "the current WhatsApp Web version could not be found out; using the bundled one",
  );
  return bundledVersion;
}
