import type { Channel } from "../channels/channel.ts";
import type { SendFailure } from "../channels/message.ts";
import type { Clock } from "../runtime/clock.ts";
import { sourceKey, type ChatId, type Source } from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";

/** Pauses between probes of a held account, ms. */
const FIRST_PROBE = 2_000;
const LONGEST_PROBE = 300_000;
/** How long one probe may take, ms. */
const PROBE_DEADLINE = 15_000;

interface Hold {
  source: Source;
  failure: SendFailure;
  pause: number;
  parked: Set<ChatId>;
  /** Sends one delivery, to see whether it goes. */
  trial: { chat: ChatId; begun: boolean } | null;
  /** The last probe succeeded. */
  answers: boolean;
  /** Takes back the next probe; null while one is under way. */
  cancel: (() => void) | null;
}

export interface HoldsOptions {
  clock: Clock;
  random(): number;
  alarms: Alarms;
  channelOf(source: Source): Channel | undefined;
  signal: AbortSignal;
  /** Sending works again, or one chat may try: these waited for it. */
  released(chats: Iterable<ChatId>): void;
}

/** Accounts whose sending stands still (token, permission, account), probed until it works again. */
export class Holds {
  readonly #holds = new Map<string, Hold>();
  /** Next pauses of accounts that were released and have sent nothing since: some may be asked but not send. */
  readonly #released = new Map<string, number>();

  constructor(readonly options: HoldsOptions) {}

  reason(source: Source): SendFailure | null {
    return this.#holds.get(sourceKey(source))?.failure ?? null;
  }

  /** True where the account is held; the chat is then woken when it is released. */
  park(source: Source, chat: ChatId): boolean {
    const hold = this.#holds.get(sourceKey(source));
    if (hold?.trial?.chat === chat && !hold.trial.begun) {
      hold.trial.begun = true;
      return false;
    }
    hold?.parked.add(chat);
    return hold !== undefined;
  }

  hold(source: Source, failure: SendFailure): void {
    const key = sourceKey(source);
    this.options.alarms.raise(alarmOf(source), failure.code, failure.hint);
    const known = this.#holds.get(key);
    if (known) {
      known.failure = failure;
      return;
    }
    const pause = this.#released.get(key) ?? FIRST_PROBE;
    const nothing = { trial: null, answers: false, cancel: null };
    const hold: Hold = { source, failure, pause, parked: new Set(), ...nothing };
    this.#holds.set(key, hold);
    this.#schedule(hold);
  }

  /** The account sent something to this chat, or was refused for what that one delivery is. */
  works(source: Source, chat: ChatId): void {
    const hold = this.#holds.get(sourceKey(source));
    if (hold?.trial?.chat === chat) this.#release(hold);
    this.#released.delete(sourceKey(source));
  }

  /**
   * What this chat sends says nothing of the account, or is not due: where the platform answers, the next that waits
   * is to tell at once.
   */
  tellsNothing(source: Source, chat: ChatId): void {
    const hold = this.#holds.get(sourceKey(source));
    if (hold?.trial?.chat === chat && hold.answers) this.#try(hold);
  }

  /** Something changed for the better: probes at once instead of waiting. */
  probeNow(source: Source): void {
    const hold = this.#holds.get(sourceKey(source));
    if (!hold?.cancel) return;
    hold.cancel();
    hold.pause = FIRST_PROBE;
    void this.#probe(hold);
  }

  #schedule(hold: Hold): void {
    const spread = hold.pause * (0.8 + 0.4 * this.options.random());
    hold.cancel = this.options.clock.after(spread, () => void this.#probe(hold));
    hold.pause = Math.min(hold.pause * 2, LONGEST_PROBE);
  }

  async #probe(hold: Hold): Promise<void> {
    hold.cancel = null;
    if (this.options.signal.aborted) return;
    const failure = await this.#ask(hold.source);
    if (this.#holds.get(sourceKey(hold.source)) !== hold) return;
    // Once a send was refused after a probe that succeeded, another such probe shows nothing: a delivery is to tell.
    const asksInVain = this.#released.has(sourceKey(hold.source)) && hold.parked.size > 0;
    if (!failure && !asksInVain) return this.#release(hold);
    hold.answers = !failure;
    const undecided = !failure || failure.retry === "no";
    if (!undecided) {
      hold.failure = failure;
      this.options.alarms.raise(alarmOf(hold.source), failure.code, failure.hint);
    }
    // What may not be asked may yet be sent: after a while a refusal, too, is put to the test.
    const tries = undecided || hold.pause >= LONGEST_PROBE;
    this.#schedule(hold);
    if (tries) this.#try(hold);
  }

  /** Lets one chat send one delivery. */
  #try(hold: Hold): void {
    const [chat] = hold.parked;
    if (chat === undefined) return;
    hold.parked.delete(chat);
    hold.trial = { chat, begun: false };
    this.options.released([chat]);
  }

  #release(hold: Hold): void {
    hold.cancel?.();
    this.#holds.delete(sourceKey(hold.source));
    this.#released.set(sourceKey(hold.source), hold.pause);
    this.options.alarms.clear(alarmOf(hold.source));
    this.options.released(hold.parked);
  }

  async #ask(source: Source): Promise<SendFailure | null> {
    const channel = this.options.channelOf(source);
    if (!channel) return null;
    const deadline = new AbortController();
    const cancel = this.options.clock.after(PROBE_DEADLINE, () => deadline.abort());
    try {
      return await channel.probe(AbortSignal.any([deadline.signal, this.options.signal]));
    } catch {
      return { retry: "hold", afterMs: null, code: "probe", hint: "The platform did not answer." };
    } finally {
      cancel();
    }
  }
}

function alarmOf(source: Source): string {
  return `${source.channel}.${source.backend}`;
}
