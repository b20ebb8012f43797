import { rm } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { ConversationStore, Source } from "../store/contract.ts";
import { BelievedTime } from "./believed-time.ts";
import { reasonOf } from "./reason.ts";
import type { Logger } from "../telemetry/log.ts";

/** Meta redelivers for up to seven days: keys of de-duplication outlive that by one. */
const KEY_DAYS = 8;
const DAY = 24 * 60 * 60 * 1000;
/** Pause between rounds, and between the steps of one round, ms. */
const ROUND = 60_000;
const STEP = 20;
/** Rows of each table that one step may take. */
const STEP_ROWS = 200;

/** Takes away, now and then and a little at a time, what is past its retention. Answers how to stop. */
export function keepWithinRetention(options: {
  store: ConversationStore;
  /** Accounts that run. */
  running: Source[];
  /** Below it every message's files have a folder of their own. */
  mediaFolder: string;
  retentionDays: number;
  /** The store no longer counts some files. */
  filesWent(): void;
  clock: Clock;
  log: Logger;
}): () => void {
  const { store, clock, log } = options;
  const ended = new AbortController();
  const time = new BelievedTime(clock);
  const round = async () => {
    for (let more = true; more && !ended.signal.aborted;) {
      const now = time.now();
      const step = await store.retain({
        contentBefore: now - options.retentionDays * DAY,
        keysBefore: now - Math.max(options.retentionDays, KEY_DAYS) * DAY,
        running: options.running,
        rows: STEP_ROWS,
      });
      const { messages, deliveries } = step.expired;
      if (messages + deliveries > 0) {
        log.warn(
          { messages, deliveries },
          "past retention_days: taken away, though it still waited",
        );
      }
      if (step.files.length > 0) options.filesWent();
      await Promise.all(step.files.map((file) => removeFile(options.mediaFolder, file)));
      more = step.more;
      if (more) await sleep(clock, STEP, ended.signal);
    }
  };
  const loop = async () => {
    while (!ended.signal.aborted) {
      await sleep(clock, ROUND, ended.signal);
      await round().catch((error: unknown) => {
        if (ended.signal.aborted) return;
        log.warn({ reason: reasonOf(error) }, "retention could not be kept this time");
      });
    }
  };
  loop().catch(() => {
    // Only the end of the daemon ends the loop.
  });
  return () => ended.abort(new Error("the daemon is stopping"));
}

/**
 * Removes a file with its folder, which is its message's own: what an agent laid beside the file goes with it, and so
 * does what a killed daemon left half-written.
 */
async function removeFile(mediaFolder: string, file: string): Promise<void> {
  const folder = dirname(file);
  if (folder.startsWith(mediaFolder + sep)) await rm(folder, { recursive: true, force: true });
  else await rm(file, { force: true });
}
