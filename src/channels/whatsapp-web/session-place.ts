import type { Clock } from "../../runtime/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import { within } from "./patience.ts";
import { SessionError } from "./session-error.ts";
import { Session, type SessionHooks } from "./session.ts";
import type { Ingress } from "./socket.ts";
import { moveAside } from "./succession.ts";

const HAND_OVER_MS = 5_000;

export interface SessionPlaceOptions {
  /** `session_path`, absolute. */
  path: string | undefined;
  env: Record<string, string | undefined>;
  clock: Clock;
  log: Logger;
  hooks: SessionHooks;
}

/** Where the session lies, and which one is open there, if any. */
export class SessionPlace {
  session: Session | null = null;

  constructor(private readonly options: SessionPlaceOptions) {}

  /** The open session. Throws where there is none. */
  get opened(): Session {
    if (!this.session) throw new Error("no WhatsApp session is open");
    return this.session;
  }

  /** Opens what lies there, or an empty session; nothing where one is open. Throws {@link SessionError}. */
  open(): Session {
    return (this.session ??= this.openAny());
  }

  close(): void {
    this.session?.close();
    this.session = null;
  }

  /**
   * The session of a removed device leaves its place; what it still had to hand over goes first, and what nobody takes
   * now is left to the session that follows. Answers whether it left, which another may have done meanwhile. Throws why
   * where it has to stay, then open again if that can be.
   */
  async setAside(ingress: Ingress | null): Promise<boolean> {
    const { session } = this;
    const { clock, log } = this.options;
    if (!session) return false;
    if (ingress) await within(clock, HAND_OVER_MS, ingress.settled()).catch(() => {});
    if (this.session !== session) return false;
    this.session = null;
    try {
      this.session = moveAside({ session, ingress, open: () => this.openAny(true), log });
    } catch (error) {
      log.error({ error }, "the WhatsApp session could not be moved aside");
      this.session = this.attemptToOpen();
      throw new SessionError(
        "unusable",
        "the WhatsApp session that ended cannot be moved aside, nothing lost: free disk space and see to the permissions of its folder, then `revka relink`",
      );
    } finally {
      ingress?.wake();
    }
    return true;
  }

  private openAny(follows = false): Session {
    const { path, env, clock, hooks } = this.options;
    if (!path) throw new SessionError("unusable", "session_path is not set");
    return Session.open({ path, env, follows }, clock, hooks);
  }

  private attemptToOpen(): Session | null {
    try {
      return this.openAny();
    } catch {
      return null;
    }
  }
}
