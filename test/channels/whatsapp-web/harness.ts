import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { Channel, Deliver } from "../../../src/channels/channel.ts";
import type { Delivery, InboundEvent, Message } from "../../../src/channels/message.ts";
import {
  createWhatsAppWeb,
  type WhatsAppWebOptions,
} from "../../../src/channels/whatsapp-web/channel.ts";
import { whatsappSchema } from "../../../src/config/schema.ts";
import { pauseBefore } from "../../../src/channels/whatsapp-web/disconnect.ts";
import { type Clock, systemClock } from "../../../src/runtime/clock.ts";
import { silentLog } from "../../../src/telemetry/log.ts";
import type { Phone } from "../../doubles/whatsapp-web/phone.ts";
import { Recorder } from "../../doubles/whatsapp-web/recorder.ts";
import { type WhatsAppDouble, startDouble } from "../../doubles/whatsapp-web/server.ts";

/** Every test waits for events; only one that fails waits so long, however busy the machine is. */
export const PATIENCE_MS = 30_000;

/** No jitter, so that a pause before a reconnect is known by its length. */
const RANDOM = 0.5;
const reconnectPauses = new Set([0, 1, 2, 3, 4].map((attempt) => pauseBefore(attempt, RANDOM)));

/** Real time, in which pauses before a reconnect are twenty times shorter. Deadlines stay as they are. */
export const impatientClock: Clock = {
  now: systemClock.now,
  after: (ms, callback) => systemClock.after(reconnectPauses.has(ms) ? ms / 20 : ms, callback),
};

/** As {@link impatientClock}, but what waits for exactly one of these times waits for `elapse` instead. */
export function heldClock(...held: number[]): Clock & { elapse(): void; waits: Recorder<number> } {
  const waiting = new Set<() => void>();
  const waits = new Recorder<number>("wait for the clock");
  return {
    now: systemClock.now,
    waits,
    after(wanted, callback) {
      if (!held.includes(wanted)) return impatientClock.after(wanted, callback);
      waiting.add(callback);
      waits.add(wanted);
      return () => waiting.delete(callback);
    },
    elapse() {
      for (const callback of [...waiting]) {
        waiting.delete(callback);
        callback();
      }
    },
  };
}

export interface HarnessOptions {
  config?: Record<string, unknown>;
  clock?: Clock;
  options?: Partial<WhatsAppWebOptions>;
  /** What `deliver` does before it takes the events. */
  admit?: (events: InboundEvent[]) => void | Promise<void>;
}

/** A double with an owner and two contacts, and the channel under test with a session in a new folder. */
export class Harness {
  readonly events = new Recorder<InboundEvent>("event");
  readonly states = new Recorder<string>("state");
  channel: Channel;
  private sends = 0;

  private constructor(
    readonly wa: WhatsAppDouble,
    readonly owner: Phone,
    readonly ada: Phone,
    readonly bob: Phone,
    readonly folder: string,
    readonly setup: HarnessOptions,
  ) {
    this.channel = this.create();
  }

  static async start(setup: HarnessOptions = {}): Promise<Harness> {
    const wa = await startDouble();
    const owner = wa.addPhone({ number: "15550001000", name: "Owner" });
    const ada = wa.addPhone({ number: "491700000001", name: "Ada" });
    const bob = wa.addPhone({ number: "447700900002", name: "Bob" });
    const folder = mkdtempSync(join(tmpdir(), "revka-web-"));
    return new Harness(wa, owner, ada, bob, folder, setup);
  }

  /** Linked by QR and logged in. */
  static async linked(setup: HarnessOptions = {}): Promise<Harness> {
    const harness = await Harness.start(setup);
    await harness.run();
    await harness.link();
    return harness;
  }

  get sessionPath(): string {
    return join(this.folder, "session.db");
  }

  create(): Channel {
    const { clock = impatientClock, config = {}, options = {} } = this.setup;
    const channel = createWhatsAppWeb({
      config: v.parse(whatsappSchema, {
        session_path: this.sessionPath,
        ws_url: this.wa.url,
        ...config,
      }),
      readReceipts: true,
      typing: true,
      env: {},
      clock,
      random: () => RANDOM,
      log: silentLog,
      proxyUrl: null,
      // The double's media server shows a certificate nobody else knows.
      fetch: (url, init) => fetch(url, { ...init, tls: { rejectUnauthorized: false } }),
      ...options,
    });
    channel.onStatus(() => this.states.add(channel.status().state));
    return channel;
  }

  deliver: Deliver = async (events) => {
    await this.setup.admit?.(events);
    for (const event of events) this.events.add(event);
  };

  async run(): Promise<void> {
    await this.channel.start(this.deliver);
  }

  async link(): Promise<void> {
    await this.owner.scanQr(await this.qr());
    await this.ready();
  }

  async qr(): Promise<string> {
    await this.until(() => Boolean(this.channel.status().linking?.qr));
    return this.channel.status().linking?.qr ?? "";
  }

  async ready(timeoutMs = PATIENCE_MS): Promise<void> {
    await this.until(() => this.channel.status().state === "ready", timeoutMs);
  }

  /** Waits for a status of the channel, by its changes. */
  async until(wanted: () => boolean, timeoutMs = PATIENCE_MS): Promise<void> {
    if (wanted()) return;
    await this.states.waitFor(() => wanted(), timeoutMs);
  }

  /** Stops the channel and starts another on the same session. */
  async restart(): Promise<void> {
    await this.channel.stop();
    this.channel = this.create();
    await this.run();
    await this.ready();
  }

  async message(wanted: string | ((message: Message) => boolean), timeoutMs = PATIENCE_MS) {
    const matches =
      typeof wanted === "string" ? (message: Message) => message.text === wanted : wanted;
    const event = await this.events.waitFor(
      (one) => one.kind === "message" && matches(one.message),
      timeoutMs,
    );
    if (event.kind !== "message") throw new Error("not a message");
    return event.message;
  }

  messages(): Message[] {
    return this.events.all.flatMap((event) => (event.kind === "message" ? [event.message] : []));
  }

  ignored(): string[] {
    return this.events.all.flatMap((event) => (event.kind === "ignored" ? [event.reason] : []));
  }

  delivery(to: Phone, content: Delivery["content"] | string, id?: string): Delivery {
    const phone = `+${to.number}`;
    return {
      id: id ?? `delivery-${++this.sends}`,
      chat: { kind: "direct", id: phone },
      recipient: { kind: "direct", phone, userId: null, lid: null },
      content: typeof content === "string" ? { kind: "text", text: content, quote: null } : content,
    };
  }

  send(to: Phone, content: Delivery["content"] | string, id?: string) {
    return this.channel.send(this.delivery(to, content, id), AbortSignal.timeout(PATIENCE_MS));
  }

  async stop(): Promise<void> {
    await this.channel.stop();
    await this.wa.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
