import type { Clock } from "./clock.ts";

/** How often it is asked whether the process rests, ms. */
const interval = 5_000;
/** Less processor time than this in an interval is rest, ms. */
const restMs = 50;
/** So much work since the last release is worth another, since what comes next has its code to compile again; ms. */
const worthMs = 1_000;

export interface RestOptions {
  clock: Clock;
  /** Processor time that the process has used so far, ms. */
  processorMs?: () => number;
  release?: () => void;
}

/**
 * Gives memory back to the system when the process comes to rest after its start and after work. The engine collects
 * only where it allocates, so an idle process would keep what its last work left. Answers how to end it.
 */
export function releaseMemoryAtRest({
  clock,
  processorMs = processorTime,
  release = releaseMemory,
}: RestOptions): () => void {
  let seen = processorMs();
  // The start always leaves something.
  let worked = worthMs;
  let releasing = false;
  const look = () => {
    const now = processorMs();
    const used = now - seen;
    seen = now;
    // What a release takes is no work, nor are the timers of an idle process.
    if (used >= restMs && !releasing) worked += used;
    releasing = used < restMs && worked >= worthMs;
    if (releasing) {
      worked = 0;
      release();
    }
    cancel = clock.after(interval, look);
  };
  let cancel = clock.after(interval, look);
  return () => cancel();
}

function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Collects the whole heap, and lets compiled code go: a function is compiled again when it is next called. */
function releaseMemory(): void {
  if (typeof Bun !== "undefined") Bun.shrink();
}
