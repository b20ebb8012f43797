import type { WAVersion } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ChannelStatus, Linking } from "../channel.ts";
import { PASSKEY_ADVICE, TIMED_OUT, UNTAKEN, judge, pauseBefore } from "./disconnect.ts";
import { keepAlive } from "./keepalive.ts";
import { FIRST_QR_MS, NEXT_QR_MS, PAIR_CODE_MS } from "./linking.ts";

/** From the start of a connection to the server's word: logged in, refused, or a code to link with. */
const CONNECT_DEADLINE_MS = 20_000;
/** From there to the end of the login: the first one makes 812 keys, which takes a small computer its time. */
const LOGIN_DEADLINE_MS = 120_000;
/** A connection that held this long counts as good: the back-off begins anew after it. */
const GOOD_AFTER_MS = 60_000;
/** How often WhatsApp may have us come back at once before a connection counts as good. */
const MOST_AT_ONCE = 3;
/** The first attempts that fail are any network's; from this one on, whoever watches for warnings hears of them. */
const TROUBLE_FROM = 3;

/** What one socket says of its own life. */
export interface SocketEvents {
  /** The server took the login; the socket prepares itself. */
  accepted(): void;
  opened(): void;
  qr(payload: string): void;
  /** The phone confirmed the link; a restart follows. */
  linked(): void;
  /** The account demands a passkey. */
  passkey(): void;
  /** Seconds a temporary ban lasts. */
  expires(secs: number): void;
  /** The proxy on the way let nothing through, for this reason. */
  proxyFailed(reason: string): void;
  ended(code: number): void;
}

/** One socket, as the state machine needs it. */
export interface Socket {
  /** Resolves with the answer to this very ping. */
  ping(): Promise<void>;
  /** Answers the code to type in on the phone. */
  requestPairCode(): Promise<string>;
  /** Closes it for good and in silence. */
  end(): void;
}

export interface ConnectionOptions {
  clock: Clock;
  random: () => number;
  log: Logger;
  /** Link by code instead of QR. */
  byCode: boolean;
  /** A login of this device succeeded before. */
  isLinked: () => boolean;
  /** The link was never finished: forgets it, so that the next connection registers. */
  onNotLinked: () => void;
  /** Puts unfinished business aside, and what else must be done before a socket. Rejects with an {@link Unready}. */
  prepare: () => Promise<void>;
  /** The version to give; asked anew after a 405. */
  findVersion: (signal: AbortSignal) => Promise<WAVersion>;
  open: (version: WAVersion, events: SocketEvents) => Socket;
  /** The phone removed this device: puts the session aside, which must not throw. */
  onLoggedOut: () => Promise<void>;
  onChange: () => void;
}

export type Standing = Pick<ChannelStatus, "state" | "reason"> & { linking?: Linking };

/** Nothing may be opened yet; the code is one of `disconnect.ts`. */
export class Unready extends Error {
  override readonly name = "Unready";
  constructor(readonly code: number) {
    super(`not ready to connect (${code})`);
  }
}

/** Keeps one connection: opens, watches, ends and reopens it, and says how it stands. At most one socket lives. */
export class Connection {
  private standing: Standing = { state: "disconnected", reason: "not started" };
  private socket: Socket | undefined;
  /** Rises with each socket and each stop; what an older one says does not count. */
  private generation = 0;
  private attempts = 0;
  private atOnce = 0;
  private codes = 0;
  private passkey = false;
  private expireSecs: number | null = null;
  private proxyFailure: string | null = null;
  private version: WAVersion | undefined;
  private timers: (() => void)[] = [];
  private abort = new AbortController();

  constructor(private readonly options: ConnectionOptions) {}

  get status(): Standing {
    return this.standing;
  }

  /** Whether a connection may stand soon: one is being opened or waits for its turn. */
  get comingBack(): boolean {
    const { state } = this.standing;
    return state === "connecting" || (state === "disconnected" && this.timers.length > 0);
  }

  start(): void {
    this.attempts = 0;
    this.atOnce = 0;
    void this.connect(null);
  }

  stop(reason: string): void {
    this.drop();
    this.change({ state: "disconnected", reason });
  }

  private async connect(lastReason: string | null): Promise<void> {
    this.drop();
    this.abort = new AbortController();
    const generation = this.generation;
    const current = () => generation === this.generation;
    this.codes = 0;
    this.passkey = false;
    this.expireSecs = null;
    this.proxyFailure = null;
    this.change({ state: "connecting", reason: lastReason ?? "connecting to WhatsApp" });
    this.version ??= await this.options.findVersion(this.abort.signal);
    if (!current()) return;
    const events = this.eventsOf(current);
    this.later(CONNECT_DEADLINE_MS, () => events.ended(TIMED_OUT));
    try {
      await this.options.prepare();
      if (!current()) return;
      this.socket = this.options.open(this.version, events);
    } catch (error) {
      this.options.log.error({ error: nameOf(error) }, "the socket could not be opened");
      events.ended(error instanceof Unready ? error.code : 500);
    }
  }

  private eventsOf(current: () => boolean): SocketEvents {
    const guarded =
      <A extends unknown[]>(handle: (...values: A) => void) =>
      (...values: A) => {
        if (current()) handle(...values);
      };
    return {
      accepted: guarded(() => {
        this.cancelTimers();
        this.later(LOGIN_DEADLINE_MS, () => this.ended(TIMED_OUT));
      }),
      opened: guarded(() => this.opened()),
      qr: guarded((payload) => void this.code(payload, current)),
      linked: guarded(() => this.change({ state: "connecting", reason: "linked; logging in" })),
      passkey: guarded(() => {
        this.passkey = true;
        if (this.options.isLinked()) return;
        this.drop();
        this.options.log.error({}, PASSKEY_ADVICE);
        this.change({ state: "disconnected", reason: PASSKEY_ADVICE });
      }),
      expires: guarded((secs) => {
        this.expireSecs = secs;
      }),
      proxyFailed: guarded((reason) => {
        this.proxyFailure = reason;
      }),
      // Baileys ends with a time-out once it has shown the last code (`socket.js`, genPairQR).
      ended: guarded((code) =>
        this.ended(code === TIMED_OUT && this.standing.linking ? UNTAKEN : code),
      ),
    };
  }

  private opened(): void {
    this.cancelTimers();
    this.watch();
    this.change({ state: "ready", reason: null });
  }

  /** A QR payload came. With a pair code only the first counts, as the sign that the server is ready for it. */
  private async code(payload: string, current: () => boolean): Promise<void> {
    const { clock, byCode, log } = this.options;
    const first = this.codes++ === 0;
    if (first) {
      this.cancelTimers();
      this.watch();
    }
    const reason = "waiting for the phone to link this device";
    if (!byCode) {
      const expiresAt = clock.now() + (first ? FIRST_QR_MS : NEXT_QR_MS);
      const linking: Linking = { qr: payload, pairCode: null, expiresAt };
      return this.change({ state: "linking", reason, linking });
    }
    if (!first) return;
    try {
      const pairCode = await this.socket?.requestPairCode();
      if (!pairCode || !current()) return;
      const linking: Linking = { qr: null, pairCode, expiresAt: clock.now() + PAIR_CODE_MS };
      this.change({ state: "linking", reason, linking });
    } catch (error) {
      log.warn({ error: nameOf(error) }, "no pair code could be got");
      if (current()) this.ended(500);
    }
  }

  /** The connection stands, logged in or with a code: from now on it has to answer, and in time it counts as good. */
  private watch(): void {
    const { clock, random } = this.options;
    const socket = this.socket;
    if (!socket) return;
    this.later(GOOD_AFTER_MS, () => {
      this.attempts = 0;
      this.atOnce = 0;
    });
    this.timers.push(
      keepAlive({
        clock,
        random,
        ping: () => socket.ping(),
        onSilence: () => {
          this.options.log.warn({}, "WhatsApp does not answer any more; connecting anew");
          this.ended(TIMED_OUT);
        },
      }),
    );
  }

  private ended(code: number): void {
    const { log, random, isLinked } = this.options;
    const { passkey, proxyFailure, expireSecs } = this;
    const verdict = judge({ code, linked: isLinked(), passkey, proxyFailure, expireSecs });
    this.drop();
    if (verdict.next === "now" && ++this.atOnce <= MOST_AT_ONCE) {
      void this.connect("WhatsApp asked for a new connection");
      return;
    }
    if (verdict.next === "logged_out") {
      log.error({ code }, verdict.reason);
      void this.loggedOut(verdict.reason);
      return;
    }
    if (verdict.next === "stop") {
      log.error({ code }, verdict.reason);
      this.change({ state: "disconnected", reason: verdict.reason });
      return;
    }
    if (verdict.next === "register") this.forgetLink();
    const wanted = verdict.next === "backoff" ? verdict.afterMs : 0;
    const reason = verdict.next === "now" ? "WhatsApp keeps asking for a restart" : verdict.reason;
    if (verdict.next === "backoff" && verdict.newVersion) this.version = undefined;
    const pauseMs = Math.max(wanted, pauseBefore(this.attempts++, random()));
    log[this.attempts < TROUBLE_FROM ? "info" : "warn"]({ code, pause_ms: pauseMs }, reason);
    this.change({ state: "disconnected", reason: `${reason}; next try in ${seconds(pauseMs)}` });
    this.later(pauseMs, () => void this.connect(reason));
  }

  /** Where that cannot be written, the next connection registers all the same: what is in memory counts. */
  private forgetLink(): void {
    try {
      this.options.onNotLinked();
    } catch (error) {
      this.options.log.error({ error: nameOf(error) }, "the WhatsApp session cannot be written");
    }
  }

  private async loggedOut(reason: string): Promise<void> {
    const { generation } = this;
    await this.options.onLoggedOut();
    if (generation === this.generation) this.change({ state: "logged_out", reason });
  }

  /** Ends the socket and everything that waits; whatever they still say is not heard. */
  private drop(): void {
    this.generation++;
    this.cancelTimers();
    this.abort.abort(new Error("the connection was given up"));
    const { socket } = this;
    this.socket = undefined;
    socket?.end();
  }

  private later(ms: number, callback: () => void): void {
    this.timers.push(this.options.clock.after(ms, callback));
  }

  private cancelTimers(): void {
    for (const cancel of this.timers.splice(0)) cancel();
  }

  private change(standing: Standing): void {
    this.standing = standing;
    this.options.onChange();
  }
}

function seconds(ms: number): string {
  return `${Math.ceil(ms / 1000)} s`;
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown error";
}
