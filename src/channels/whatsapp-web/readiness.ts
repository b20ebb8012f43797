import type { Clock } from "../../runtime/clock.ts";
import { within } from "./patience.ts";

/** A send waits this long for a connection that is just coming back. */
const WAIT_MS = 10_000;

/** Lets callers wait for a moment until the connection stands. */
export class Readiness {
  private readonly waiting = new Set<() => void>();

  constructor(private readonly clock: Clock) {}

  /** The connection stands. */
  reached(): void {
    for (const resolve of this.waiting) resolve();
    this.waiting.clear();
  }

  /** Whether it stood within a moment. Rejects with the signal's reason. */
  async wait(signal: AbortSignal): Promise<boolean> {
    let resolve = () => {};
    const reached = new Promise<void>((done) => {
      resolve = done;
    });
    this.waiting.add(resolve);
    try {
      await within(this.clock, WAIT_MS, reached, signal);
      return true;
    } catch {
      if (signal.aborted) throw signal.reason;
      return false;
    } finally {
      this.waiting.delete(resolve);
    }
  }
}
