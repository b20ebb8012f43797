import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { type Deliver, NotAccepted } from "../channel.ts";
import type { InboundEvent } from "../message.ts";
import { isPassing } from "./group-commit.ts";
import { noteHistory } from "./history-chunks.ts";
import { learntPairs } from "./identity.ts";
import type { PendingStanza, Placeholder, StanzaAttributes } from "./journal.ts";
import { type Translation, translate } from "./payload.ts";
import { partOf } from "./placeholder.ts";
import { type Resent, isSameMessage, resentBy } from "./resent.ts";
import type { Legacy, Session } from "./session.ts";
import { surroundingsOf } from "./surroundings.ts";

/** Stanzas handed over at once. */
const BATCH = 50;
/** As many where the inbox takes no more of some chat: those of the others lie behind its. */
const LARGEST_BATCH = 6400;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** Stanzas that a session leaves to the next at most. */
const MOST_LEFT = 1_000_000;
/** Events without a message (receipts, what was ignored) that wait at most; the oldest go. */
const MOST_ASIDES = 1000;

export interface IngressOptions {
  /** The session that is open; null after a logout. */
  session: () => Session | null;
  deliver: Deliver;
  clock: Clock;
  log: Logger;
}

/**
 * Ingress: takes decrypted stanzas from the journal, in order, hands them over and closes them once they are on disk
 * inside. What a crash or a refusal left is taken up again, so nothing that was decrypted is lost.
 */
export class Ingress {
  private running: Promise<void> | undefined;
  private stopped = false;
  private paused = false;
  private again = false;
  /** The journal may hold something. */
  private due = true;
  private failures = 0;
  private batch = BATCH;
  private cancelPause: () => void = () => {};
  /** What lay in the journal before this start: an age window applies to it. */
  private replaying = true;
  private asides: InboundEvent[] = [];

  constructor(private readonly options: IngressOptions) {}

  /** Something was put into the journal (or may have been). */
  wake = (): void => {
    this.due = true;
    this.run();
  };

  private run(): void {
    this.again = true;
    if (this.stopped || this.paused || this.running) return;
    this.again = false;
    this.running = this.drain()
      .catch((error) => this.pause(error))
      .finally(() => {
        this.running = undefined;
        if (this.again) this.run();
      });
  }

  /** Hands over events that are not worth a journal: receipts, identities, what is only counted. */
  aside(event: InboundEvent): void {
    this.asides.push(event);
    if (this.asides.length > MOST_ASIDES) this.asides.shift();
    this.run();
  }

  learnt(stored: Record<string, string>): void {
    for (const { phone, lid } of learntPairs(stored)) {
      const sender = { phone, userId: null, lid, username: null, name: null };
      this.aside({ kind: "identity", sender, previousUserId: null, previousPhone: null });
    }
  }

  /** Resolves once what is being handed over is handed over, or was refused. */
  async settled(): Promise<void> {
    await this.running;
  }

  /** What this session has received and nobody has taken over: for the session that follows it. */
  legacyOf(session: Session): Legacy {
    const pending = session.journal.pending(MOST_LEFT).flatMap((stanza) => {
      const resent = resentBy(stanza, session.self);
      if (resent.length === 0) return [stanza];
      return resent.flatMap((one) => originalOf(one, session) ?? []);
    });
    const received = pending.flatMap((stanza) => this.translated(stanza, session, true).events);
    const events = [...session.inherited, ...received].filter(({ kind }) => kind !== "ignored");
    return { number: session.self.phone, events };
  }

  /** Takes up nothing more. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.cancelPause();
    await this.running;
  }

  private async drain(): Promise<void> {
    while (!this.stopped) {
      const session = this.options.session();
      const inherited = session?.inherited ?? [];
      const pending = (this.due && session?.journal.pending(this.batch)) || [];
      const answers = session ? answersIn(pending, session) : [];
      if (session && answers.length > 0) {
        await this.keepResent(session, answers);
        continue;
      }
      const translated = session
        ? pending.map((stanza) => ({
            stanza,
            ...this.translated(stanza, session, this.replaying),
          }))
        : [];
      this.due = pending.length > 0;
      const asides = this.asides.splice(0);
      if (pending.length === 0 && asides.length === 0 && inherited.length === 0) {
        this.replaying = false;
        return;
      }
      for (const { timer } of translated) {
        if (timer) session?.disappearing.note(timer.chat, timer.seconds);
      }
      const events = [...inherited, ...asides, ...translated.flatMap((one) => one.events)];
      try {
        await this.options.deliver(events);
      } catch (error) {
        this.asides = [...asides, ...this.asides].slice(-MOST_ASIDES);
        this.pause(error);
        return;
      }
      if (inherited.length > 0) await session?.inheritanceTaken();
      if (session && !(await this.close(session, translated))) return;
      this.failures = 0;
      this.batch = BATCH;
    }
  }

  /**
   * What the phone sent again becomes a stanza of the journal like any other, in the write that closes the answer which
   * brought it. Throws where that cannot be written.
   */
  private async keepResent(session: Session, answers: Answer[]): Promise<void> {
    const { journal } = session;
    const now = this.options.clock.now();
    try {
      const writes = answers.flatMap(({ stanza, resent }) => [
        ...resent.map((one) => keeping(one, session, now)),
        journal.closing(stanza.stanza, null, false),
      ]);
      await session.write(() => {
        for (const write of writes) write();
      });
    } finally {
      journal.open.forget();
    }
  }

  private translated(stanza: PendingStanza, session: Session, replayed: boolean): Translation {
    try {
      return translate(stanza, surroundingsOf(session, replayed));
    } catch (error) {
      // What cannot be read from the disk now can be later.
      if (isPassing(error)) throw error;
      // One message that breaks the translation must not hold up all others.
      const events: InboundEvent[] = [{ kind: "ignored", reason: "unreadable" }];
      return { events, preview: null, carriesSenderKey: false, timer: null };
    }
  }

  /** False where the journal could not be written: the same are handed over once more, and known by their ids. */
  private async close(
    session: Session,
    handed: ({ stanza: PendingStanza } & Translation)[],
  ): Promise<boolean> {
    if (handed.length === 0) return true;
    try {
      const { clock, log } = this.options;
      for (const { stanza } of handed) noteHistory(stanza, session, clock.now(), log);
      const writes = handed.flatMap(({ stanza, events, preview, carriesSenderKey }) => [
        session.journal.closing(stanza.stanza, preview, carriesSenderKey),
        ...(events.some(hasContent) ? arriving(stanza, session) : []),
      ]);
      await session.write(() => {
        for (const write of writes) write();
      });
      return true;
    } catch (error) {
      session.journal.open.forget();
      this.pause(error);
      return false;
    }
  }

  private pause(error: unknown): void {
    const wanted = error instanceof NotAccepted ? error.retryAfterSecs * 1000 : 0;
    const backoff = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures++, 10), LONGEST_PAUSE_MS);
    const pauseMs = Math.min(Math.max(wanted, backoff), LONGEST_PAUSE_MS);
    const reason = error instanceof NotAccepted ? error.reason : "error";
    this.options.log.warn(
      { reason, pause_ms: pauseMs },
      "messages were not accepted; they are kept and handed over again",
    );
    this.batch = reason === "overloaded" ? Math.min(this.batch * 2, LARGEST_BATCH) : BATCH;
    this.paused = true;
    this.due = true;
    this.cancelPause = this.options.clock.after(pauseMs, () => {
      this.paused = false;
      this.wake();
    });
  }
}

/** What the phone said when it was asked for messages. */
interface Answer {
  stanza: PendingStanza;
  resent: Resent[];
}

function answersIn(pending: PendingStanza[], session: Session): Answer[] {
  return pending
    .map((stanza) => ({ stanza, resent: resentBy(stanza, session.self) }))
    .filter(({ resent }) => resent.length > 0);
}

/** The stanza that came without this content, else what the phone says of it; null for what is not to come in so. */
function originalOf(
  resent: Resent,
  session: Session,
): (PendingStanza & { awaited: boolean }) | null {
  const { attributes, plaintext, fromMe } = resent;
  const [original] = placeholdersOf(attributes, session);
  if (!original && fromMe) return null;
  const found = original ?? { part: partOf(attributes), attributes };
  return {
    stanza: found.part,
    attributes: found.attributes,
    plaintexts: [plaintext],
    awaited: original !== undefined,
  };
}

function keeping(resent: Resent, session: Session, now: number): () => void {
  const original = originalOf(resent, session);
  if (!original) return () => {};
  const { stanza, attributes, awaited } = original;
  const { journal } = session;
  if (awaited) return () => journal.fill(stanza, resent.plaintext, now);
  const part = { part: stanza, stanza, parts: 1, attributes };
  return () => {
    // One that cannot be read any more would keep this out.
    journal.dropPlaceholder(stanza);
    journal.put(part, resent.plaintext, now);
  };
}

/** Why a stanza was ignored that brought nothing, or nothing that can be read. */
const contentless = new Set(["empty", "unreadable", "placeholder"]);

/** Also of what is ignored: who sends a pin or a vote again has sent all there is of it. */
function hasContent(event: InboundEvent): boolean {
  return event.kind !== "ignored" || !contentless.has(event.reason);
}

/** A message that came by itself need not be asked for any more. */
function arriving({ attributes }: PendingStanza, session: Session): (() => void)[] {
  return placeholdersOf(attributes, session).map(
    ({ part }) =>
      () =>
        session.journal.dropPlaceholder(part),
  );
}

function placeholdersOf(attributes: StanzaAttributes, session: Session): Placeholder[] {
  const waiting = session.journal.placeholders(attributes.id ?? "");
  if (waiting.length === 0) return waiting;
  const around = surroundingsOf(session, true);
  const named = partOf(attributes);
  return waiting.filter(
    ({ part, attributes: awaited }) => part === named || isSameMessage(awaited, attributes, around),
  );
}
