import type { Logger } from "../../telemetry/log.ts";
import type { Deliver } from "../channel.ts";
import { Unready } from "./connection.ts";
import { UNTOLD } from "./disconnect.ts";
import type { Session } from "./session.ts";

/**
 * Tells the inside whom the linked account speaks as, before anything is sent: what waits for another number must not
 * go out from this one.
 */
export class SpeaksAs {
  private told: string | null = null;

  constructor(private readonly log: Logger) {}

  /** Rejects with {@link Unready} where the inside does not take it. */
  async tell(session: Session, deliver: Deliver | null): Promise<void> {
    const number = session.linked ? session.self.phone : null;
    if (number === null || number === this.told) return;
    try {
      await deliver?.([{ kind: "account", number }]);
    } catch {
      throw new Unready(UNTOLD);
    }
    this.told = number;
    const events = session.dropForeignLegacy();
    if (events > 0) this.log.warn({ events }, "what another number had received is not answered");
  }
}
