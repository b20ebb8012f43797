import { SessionCipher } from "libsignal";

/** A Signal session of libsignal 6.0.0, as far as it matters here; the published types leave it out. */
interface SessionEntry {
  indexInfo: { used: number };
  pendingPreKey?: unknown;
  serialize(): unknown;
  constructor: { deserialize(data: unknown): SessionEntry };
}

interface CipherInside {
  doDecryptWhisperMessage(ciphertext: Buffer, session: SessionEntry): Promise<Buffer>;
  decryptWithSessions(
    this: CipherInside,
    ciphertext: Buffer,
    sessions: SessionEntry[],
  ): Promise<{ session: SessionEntry; plaintext: Buffer }>;
}

const KEY_USED = "MessageCounterError";
let installed = false;

/**
 * libsignal 6.0.0 (`session_cipher.js:135`) tries sessions in place: one that did not fit stays advanced, and is saved
 * when another fits. Here each of several runs on a copy that is adopted only on success. It prints nothing, and tells a
 * ciphertext read before from one that no session can read.
 */
export function decryptCarefully(): void {
  if (installed) return;
  installed = true;
  const cipher = SessionCipher.prototype as unknown as CipherInside;
  cipher.decryptWithSessions = async function decryptWithSessions(ciphertext, sessions) {
    let used: unknown;
    for (const session of sessions) {
      // Of a record with one session nothing is saved where that one fails.
      const copy =
        sessions.length === 1 ? session : session.constructor.deserialize(session.serialize());
      try {
        const plaintext = await this.doDecryptWhisperMessage(ciphertext, copy);
        copy.indexInfo.used = Date.now();
        if (copy !== session) {
          if (!("pendingPreKey" in copy)) delete session.pendingPreKey;
          Object.assign(session, copy);
        }
        return { session, plaintext };
      } catch (error) {
        if (error instanceof Error && error.name === KEY_USED) used = error;
      }
    }
    if (used) throw used;
    throw new Error(
      sessions.length === 0 ? "No sessions available" : "No matching sessions found for message",
    );
  };
}
