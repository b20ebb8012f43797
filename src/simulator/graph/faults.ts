/** What a request asks for, as a fault names it. */
export type Operation =
  "send" | "read" | "upload" | "media_info" | "media_bytes" | "phone_number" | "other";

/** What goes wrong. `delay` lets the request go on afterwards, to the next rule too. */
export type Effect =
  /** Answers with a Graph error. */
  | { kind: "error"; code: number; status?: number; details?: string; retryAfterSecs?: number }
  /** Answers with a bare HTTP status, as a broken edge does; the body is not JSON. */
  | { kind: "http"; status: number }
  | { kind: "delay"; ms: number }
  /** Accepts nothing and answers nothing until the client gives up. */
  | { kind: "hang" }
  /** Closes the connection before anything is accepted. */
  | { kind: "drop" }
  /** Accepts the message, then closes the connection instead of answering: ambiguous for the sender. */
  | { kind: "lose-answer" }
  /** Accepts and answers, then reports `failed` by webhook. */
  | { kind: "fail-later"; code: number };

export interface FaultRule {
  effect: Effect;
  /** Which requests; `send` when absent. */
  on?: Operation | "any";
  /** Only for this recipient (digits, BSUID or group id). */
  recipient?: string;
  /** Lets so many matching requests pass first. */
  skip?: number;
  /** Strikes so many times; without end when absent. */
  times?: number;
  /** Chance of each matching request, 0 to 1; 1 when absent. */
  probability?: number;
}

interface ActiveRule {
  id: number;
  rule: FaultRule;
  skip: number;
  left: number;
}

/** The rules in force. The first that matches and strikes wins; delays add up before it. */
export class FaultPlan {
  #rules: ActiveRule[] = [];
  #nextId = 1;

  constructor(private readonly random: () => number) {}

  add(rule: FaultRule): number {
    const id = this.#nextId++;
    this.#rules.push({ id, rule, skip: rule.skip ?? 0, left: rule.times ?? Infinity });
    return id;
  }

  remove(id: number): boolean {
    const before = this.#rules.length;
    this.#rules = this.#rules.filter((active) => active.id !== id);
    return this.#rules.length < before;
  }

  clear(): void {
    this.#rules = [];
  }

  /** Effects for one request, delays first; at most one of another kind, last. */
  strike(operation: Operation, recipient: string | null): Effect[] {
    const effects: Effect[] = [];
    for (const active of this.#rules) {
      if (!matches(active.rule, operation, recipient) || active.left <= 0) continue;
      if (active.skip > 0) {
        active.skip--;
        continue;
      }
      const { probability } = active.rule;
      if (probability !== undefined && this.random() >= probability) continue;
      active.left--;
      effects.push(active.rule.effect);
      if (active.rule.effect.kind !== "delay") break;
    }
    return effects;
  }
}

function matches(rule: FaultRule, operation: Operation, recipient: string | null): boolean {
  const on = rule.on ?? "send";
  if (on !== "any" && on !== operation) return false;
  return rule.recipient === undefined || rule.recipient.replace(/^\+/, "") === recipient;
}
