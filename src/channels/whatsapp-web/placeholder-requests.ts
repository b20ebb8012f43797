import type { proto } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { BoundedCache } from "./bounded-cache.ts";
import { within } from "./patience.ts";
import { messageKeyOf } from "./placeholder.ts";
import type { Session } from "./session.ts";

/** Baileys itself asks 2 s after a message came without content, and waits 8 s; the backlog has come by then. */
const FIRST_ROUND_MS = 12_000;
const ROUND_MS = 10 * 60_000;
const LONGEST_PAUSE_MS = 24 * 3_600_000;
/** The others have their turn in the next round. */
const MOST_A_ROUND = 50;
const ASK_MS = 30_000;

/** How often the phone was asked for a message, and when last. */
export interface Asked {
  times: number;
  at: number;
}

export interface PlaceholderRequestsOptions {
  session: Session;
  /** By the name of the message in the journal; outlives a connection. */
  asked: BoundedCache<Asked>;
  clock: Clock;
  log: Logger;
  ask: (key: proto.IMessageKey) => Promise<unknown>;
}

/**
 * Asks the account's phone, over one connection, for the messages whose content is missing: soon after the
 * login, and as long as it does not answer at growing pauses, until {@link Journal.prune} gives them up.
 */
export class PlaceholderRequests {
  private stopped = false;
  private cancel: () => void = () => {};

  constructor(private readonly options: PlaceholderRequestsOptions) {}

  start(): void {
    this.later(FIRST_ROUND_MS);
  }

  stop(): void {
    this.stopped = true;
    this.cancel();
  }

  private later(ms: number): void {
    this.cancel();
    if (this.stopped) return;
    this.cancel = this.options.clock.after(ms, () => {
      this.round()
        .catch(() => this.options.log.debug({}, "the session could not be read"))
        .finally(() => this.later(ROUND_MS));
    });
  }

  private async round(): Promise<void> {
    const { session, asked, clock, log, ask } = this.options;
    const due = session.journal.placeholders().filter(({ part }) => this.isDue(part));
    for (const { part, attributes } of due.slice(0, MOST_A_ROUND)) {
      if (this.stopped) return;
      const times = (asked.get(part)?.times ?? 0) + 1;
      try {
        await within(clock, ASK_MS, ask(messageKeyOf(attributes, session.self)));
      } catch {
        log.debug({}, "the phone could not be asked for a message");
        continue;
      }
      asked.set(part, { times, at: clock.now() });
      log.info(
        { times },
        "the content of a message is missing; the phone was asked to send it again",
      );
    }
  }

  private isDue(part: string): boolean {
    const { asked, clock } = this.options;
    const last = asked.get(part);
    if (!last) return true;
    return Math.abs(clock.now() - last.at) >= pauseAfter(last.times);
  }
}

function pauseAfter(times: number): number {
  return Math.min(ROUND_MS * 4 ** (times - 1), LONGEST_PAUSE_MS);
}
