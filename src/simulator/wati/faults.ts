/** What a request asks for, as a fault names it. */
export type WatiOperation = "text" | "file" | "media" | "probe" | "history";

/** What goes wrong. */
export type WatiEffect =
  /** Answers with this status; the body is JSON if given, else none. */
  | { kind: "http"; status: number; body?: unknown; retryAfterSecs?: number }
  /** Accepts nothing and answers nothing until the client gives up. */
  | { kind: "hang" }
  /** Closes the connection before anything is accepted. */
  | { kind: "drop" }
  /** Accepts, then closes the connection instead of answering: ambiguous for the sender. */
  | { kind: "lose-answer" };

export interface WatiFault {
  effect: WatiEffect;
  /** Which requests; all sends when absent. */
  on?: WatiOperation | "any";
  /** Lets so many matching requests pass first. */
  skip?: number;
  /** Strikes so many times; without end when absent. */
  times?: number;
  /** Strikes only where this says so; asked of each request that matches. */
  when?: () => boolean;
}

/** The faults in force. The first that matches and strikes wins. */
export class WatiFaults {
  #rules: { fault: WatiFault; skip: number; left: number }[] = [];

  add(fault: WatiFault): void {
    this.#rules.push({ fault, skip: fault.skip ?? 0, left: fault.times ?? Infinity });
  }

  clear(): void {
    this.#rules = [];
  }

  strike(operation: WatiOperation): WatiEffect | null {
    for (const rule of this.#rules) {
      const on = rule.fault.on ?? null;
      const sends = operation === "text" || operation === "file";
      const matches = on === null ? sends : on === "any" || on === operation;
      if (!matches || rule.left <= 0) continue;
      if (rule.fault.when?.() === false) continue;
      if (rule.skip-- > 0) continue;
      rule.left--;
      return rule.fault.effect;
    }
    return null;
  }
}
