import type { Logger } from "../../telemetry/log.ts";
import type { Legacy, Session } from "./session.ts";
import type { Ingress } from "./socket.ts";

export interface Succession {
  session: Session;
  ingress: Ingress | null;
  /** Opens a new session in the same place. */
  open: () => Session;
  log: Logger;
}

/**
 * Moves the session of a removed device beside its place. What it had received, and so acknowledged, and nobody has
 * taken over is left to a new session, which is answered then, for the ingress to be woken; null where nothing was left.
 */
export function moveAside({ session, ingress, open, log }: Succession): Session | null {
  const legacy = ingress && legacyOf(session, ingress, log);
  const aside = session.moveAside();
  log.warn({ path: aside }, "the WhatsApp session was moved aside");
  if (!legacy || legacy.events.length === 0) return null;
  let next: Session | null = null;
  try {
    next = open();
    next.inherit(legacy);
  } catch (error) {
    log.error(
      { events: legacy.events.length, error },
      "what the moved session had not handed over is in memory only",
    );
    if (next === null) for (const event of legacy.events) ingress?.aside(event);
  }
  return next;
}

function legacyOf(session: Session, ingress: Ingress, log: Logger): Legacy | null {
  try {
    return ingress.legacyOf(session);
  } catch (error) {
    log.error({ error }, "what the moved session had received cannot be read");
    return null;
  }
}
