/**
 * A client that is killed in the midst of its work: runs the channel on the session named by the environment, and
 * appends what it is handed to a file, as an inbox would, synchronously. The test kills it with SIGKILL.
 */
import { appendFileSync } from "node:fs";
import * as v from "valibot";
import { createWhatsAppWeb } from "../../../src/channels/whatsapp-web/channel.ts";
import { whatsappSchema } from "../../../src/config/schema.ts";
import { systemClock } from "../../../src/runtime/clock.ts";
import { silentLog } from "../../../src/telemetry/log.ts";

const { SESSION_PATH, WS_URL, INBOX, HAND_OVER_MS = "0" } = process.env;
if (!SESSION_PATH || !WS_URL || !INBOX)
  throw new Error("SESSION_PATH, WS_URL and INBOX are needed");

const channel = createWhatsAppWeb({
  config: v.parse(whatsappSchema, { session_path: SESSION_PATH, ws_url: WS_URL }),
  readReceipts: false,
  typing: false,
  env: {},
  clock: systemClock,
  log: silentLog,
  proxyUrl: null,
  fetch,
});
channel.onStatus(() => console.log(channel.status().state));
await channel.start(async (events) => {
  // Time to be killed between the decryption and the inbox.
  await new Promise((resolve) => setTimeout(resolve, Number(HAND_OVER_MS)));
  for (const event of events) {
    if (event.kind === "message")
      appendFileSync(INBOX, `${event.message.id} ${event.message.text}\n`);
  }
});
setInterval(() => {}, 60_000);
