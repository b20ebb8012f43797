import type { Clock } from "../../runtime/clock.ts";
import { envelope, identityOf, statusEntry, type Business, type StatusOf } from "./bodies.ts";
import type { StatusSettings } from "./options.ts";
import type { WebhookSender } from "./webhooks.ts";

/** Tells the business by webhook what became of its messages. */
export class StatusReporter {
  readonly #scheduled = new Set<() => void>();
  readonly #idleWaiters = new Set<() => void>();

  constructor(
    readonly settings: StatusSettings,
    private readonly clock: Clock,
    private readonly webhooks: WebhookSender,
    private readonly business: (phoneNumberId: string) => Business,
  ) {}

  /** States that wait for their time. */
  get pending(): number {
    return this.#scheduled.size;
  }

  /** An accepted message: its states as configured, or `failed` with that code. */
  accepted(
    sent: Omit<StatusOf, "state" | "code">,
    phoneNumberId: string,
    failure: number | null,
  ): void {
    if (failure !== null) {
      this.#after(this.settings.delayMs, () =>
        this.report({ ...sent, state: "failed", code: failure }, phoneNumberId),
      );
      return;
    }
    this.settings.states.forEach((state, index) => {
      this.#after(this.settings.delayMs * (index + 1), () =>
        this.report({ ...sent, state }, phoneNumberId),
      );
    });
  }

  /** Sends one status now. */
  report(status: StatusOf, phoneNumberId: string): void {
    const value: Record<string, unknown> = {
      statuses: [statusEntry(status, this.clock.now())],
    };
    if (status.state !== "failed" && status.recipientKind === "phone") {
      const { waId, userId } = identityOf({ phone: status.recipient });
      value["contacts"] = [{ profile: { name: "Ada" }, wa_id: waId, user_id: userId }];
    }
    const body = envelope(this.business(phoneNumberId), value);
    void this.webhooks.send("status", [status.wamid], body, status.wamid);
  }

  /** Resolves when no state waits any more; rejects when time is up. */
  idle(timeoutMs: number): Promise<void> {
    if (this.#scheduled.size === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const done = () => {
        clearTimeout(timer);
        this.#idleWaiters.delete(done);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#idleWaiters.delete(done);
        reject(new Error(`${this.#scheduled.size} statuses still to come after ${timeoutMs} ms`));
      }, timeoutMs);
      this.#idleWaiters.add(done);
    });
  }

  stop(): void {
    for (const cancel of this.#scheduled) cancel();
    this.#scheduled.clear();
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.clock.after(ms, () => {
      this.#scheduled.delete(cancel);
      run();
      if (this.#scheduled.size === 0) for (const waiter of this.#idleWaiters) waiter();
    });
    this.#scheduled.add(cancel);
  }
}
