import type { Surroundings } from "./payload.ts";
import type { Session } from "./session.ts";

/** What a session knows, for whoever reads its stanzas. */
export function surroundingsOf(session: Session, replayed: boolean): Surroundings {
  return {
    self: session.self,
    mappings: session.mappings,
    isOurs: (id) => session.sent.has(id),
    attributesOf: (id) => session.journal.originOf(id),
    replayed,
  };
}
