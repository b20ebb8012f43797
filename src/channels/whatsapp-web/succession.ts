import type { Logger } from "../../telemetry/log.ts";
import { isPassing } from "./group-commit.ts";
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
 * Throws where that cannot be read or written: until it is, also after a crash, the next opening finds the old session in
 * its place again.
 */
export function moveAside({ session, ingress, open, log }: Succession): Session | null {
  const legacy = ingress && legacyOf(session, ingress, log);
  const left = session.leave();
  let next: Session | null = null;
  try {
    if (legacy && legacy.events.length > 0) {
      next = open();
      next.inherit(legacy);
    }
    log.warn({ path: left.settle() }, "the WhatsApp session was moved aside");
  } catch (error) {
    next?.close();
    throw error;
  }
  return next;
}

function legacyOf(session: Session, ingress: Ingress, log: Logger): Legacy | null {
  try {
    return ingress.legacyOf(session);
  } catch (error) {
    if (isPassing(error)) {
      session.close();
      throw error;
    }
    log.error({ error }, "what the moved session had received cannot be read");
    return null;
  }
}
