import type { Clock } from "../../runtime/clock.ts";

/** As whatsmeow's (`keepalive.go`): often enough to notice a dead network, jittered so as not to look like a clock. */
const SHORTEST_MS = 20_000;
const LONGEST_MS = 30_000;
/** How long the answer to a ping of ours may take. */
export const PONG_MS = 10_000;

export interface KeepaliveOptions {
  clock: Clock;
  random: () => number;
  /** Sends a ping; resolves with its own answer, nothing else counts as a sign of life. */
  ping: () => Promise<void>;
  /** No answer came: the connection is deaf or dead. Called once. */
  onSilence: () => void;
}

/** Pings until stopped. A socket that takes our frames and hears nothing is found within 40 s. */
export function keepAlive({ clock, random, ping, onSilence }: KeepaliveOptions): () => void {
  let stopped = false;
  let cancel = schedule();

  function schedule(): () => void {
    return clock.after(SHORTEST_MS + random() * (LONGEST_MS - SHORTEST_MS), beat);
  }

  function beat(): void {
    cancel = clock.after(PONG_MS, silence);
    ping().then(
      () => {
        cancel();
        if (!stopped) cancel = schedule();
      },
      () => silence(),
    );
  }

  function silence(): void {
    cancel();
    if (stopped) return;
    stopped = true;
    onSilence();
  }

  return () => {
    stopped = true;
    cancel();
  };
}
