import type { Clock } from "../runtime/clock.ts";
import type { Logger } from "./log.ts";

/** Something that needs a person, until it has healed. `since` in Unix milliseconds. */
export interface RaisedAlarm {
  source: string;
  code: string;
  hint: string;
  since: number;
}

/** What is wrong just now; shown by `status`, `/health` and the log. One alarm a source. */
export class Alarms {
  readonly #raised = new Map<string, RaisedAlarm>();

  constructor(
    readonly clock: Clock,
    readonly log: Logger,
  ) {}

  raise(source: string, code: string, hint: string): void {
    const known = this.#raised.get(source);
    if (known?.code === code) {
      known.hint = hint;
      return;
    }
    const alarm = { source, code, hint, since: known?.since ?? this.clock.now() };
    this.#raised.set(source, alarm);
    this.log.error({ source, code }, `alarm: ${hint}`);
  }

  clear(source: string): void {
    if (this.#raised.delete(source)) this.log.info({ source }, "alarm over");
  }

  get(source: string): RaisedAlarm | null {
    return this.#raised.get(source) ?? null;
  }

  list(): RaisedAlarm[] {
    return [...this.#raised.values()];
  }
}
