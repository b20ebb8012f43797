import { rm } from "node:fs/promises";
import { dirname, sep } from "node:path";
import { sleep, type Clock } from "../runtime/clock.ts";
import type { ConversationStore, Retained, Source } from "../store/contract.ts";
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

/** Takes away, now and then and a little at a time, what is past its retention. Answers how to stop, at any moment. */
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
    /** Paths that could not be removed this time. */
    const stuck = new Set<string>();
    let why: Why | null = null;
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
      const files = step.files.filter(({ path }) => !stuck.has(path));
      const { left, why: first } = await removeFiles(store, options.mediaFolder, files);
      for (const file of left) stuck.add(file.path);
      why ??= first;
      if (step.files.length > 0) options.filesWent();
      // Where files fill a step and none goes, the next step would find the same.
      const inVain = step.files.length >= STEP_ROWS && files.every(({ path }) => stuck.has(path));
      more = step.more && !inVain;
      if (more) await sleep(clock, STEP, ended.signal);
    }
    if (stuck.size > 0) {
      log.warn(
        { files: stuck.size, ...why },
        "past retention_days, but cannot be removed; tried again",
      );
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

type PastFile = Retained["files"][number];
/** Of one that could not be removed. */
type Why = { folder: string; reason: string };

/**
 * Removes files, and has the store forget those that are gone: a stop or a kill in between leaves them noted, and what is
 * gone already is no failure. Answers those that could not be removed, which stay noted, behind all others, and why one of
 * them could not.
 */
async function removeFiles(
  store: ConversationStore,
  mediaFolder: string,
  files: PastFile[],
): Promise<{ left: PastFile[]; why: Why | null }> {
  const places = new Set(files.map(({ path }) => placeOf(mediaFolder, path)));
  const failed = new Map<string, unknown>();
  await Promise.all(
    [...places].map((place) =>
      rm(place, { recursive: place.startsWith(mediaFolder + sep), force: true }).catch(
        (error: unknown) => failed.set(place, error),
      ),
    ),
  );
  const isLeft = ({ path }: PastFile) => failed.has(placeOf(mediaFolder, path));
  const left = files.filter(isLeft);
  for (const file of left) await store.addAttachments(file.messageId, [file]);
  const gone = files.filter((file) => !isLeft(file));
  if (gone.length > 0) await store.forgetFiles(gone.map(({ id }) => id));
  const [first] = failed;
  return {
    left,
    why: first ? { folder: folderOf(first[0], mediaFolder), reason: reasonOf(first[1]) } : null,
  };
}

/** A file's name is its sender's. */
function folderOf(place: string, mediaFolder: string): string {
  return place.startsWith(mediaFolder + sep) ? place : dirname(place);
}

/**
 * What goes with a file: its folder, which is its message's own, with what an agent laid beside the file and what a killed
 * daemon left half-written. Elsewhere the file alone.
 */
function placeOf(mediaFolder: string, file: string): string {
  const folder = dirname(file);
  return folder.startsWith(mediaFolder + sep) ? folder : file;
}
