import type { Channel } from "../channels/channel.ts";
import { sourceKey, type Source, type StoredChat, type StoredDelivery } from "../store/contract.ts";
import { Gate, type GateOptions } from "./gate.ts";

/** One try of a delivery, from before its mark until what became of it is noted. */
export interface Attempt {
  stored: StoredChat;
  channel: Channel;
  delivery: StoredDelivery;
  /** Where it has a place. */
  gate: Gate;
  /** Aborted when nobody waits for its answer any more. */
  signal: AbortSignal;
}

/** The deliveries that are being sent, each with its place at the gate of its account. */
export class InFlight {
  readonly #options: GateOptions;
  /** What cuts each of them off. */
  readonly #cutOffs = new Map<string, AbortController>();
  /** Of each account, so that a platform that hangs holds up only its own: one to send, one to ask what was sent. */
  readonly #gates = new Map<string, Gate>();
  #idle: (() => void) | null = null;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  gateOf(source: Source, purpose: "send" | "ask"): Gate {
    const key = `${purpose} ${sourceKey(source)}`;
    let gate = this.#gates.get(key);
    if (!gate) {
      gate = new Gate(this.#options);
      this.#gates.set(key, gate);
    }
    return gate;
  }

  has(id: string): boolean {
    return this.#cutOffs.has(id);
  }

  /** `of` has its place already. */
  begin(of: Omit<Attempt, "signal">): Attempt {
    const cutOff = new AbortController();
    this.#cutOffs.set(of.delivery.id, cutOff);
    return { ...of, signal: cutOff.signal };
  }

  /** Its place is free again. */
  end({ delivery, gate }: Attempt): void {
    this.handOn(delivery.id);
    gate.leave();
    if (this.#cutOffs.size === 0) this.#idle?.();
  }

  /** Its place is another's. */
  handOn(id: string): void {
    this.#cutOffs.delete(id);
  }

  /** Its answer is not waited for any more. */
  cutOff(id: string): void {
    this.#cutOffs.get(id)?.abort();
  }

  /** Waits until there are none; past `graceMs` they are cut off. */
  async drain(graceMs: number): Promise<void> {
    if (this.#cutOffs.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#options.clock.after(graceMs, resolve);
        this.#idle = () => {
          cancel();
          resolve();
        };
      });
    }
    for (const cutOff of this.#cutOffs.values()) cutOff.abort();
  }
}
