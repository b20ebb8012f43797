import type { SendFailure } from "../message.ts";
import { sendFailure } from "../failure.ts";

/** The server's word on a message. */
export type Acknowledgement = { ok: true } | { ok: false; error: string };

/** Sends that wait for the server's word: a written stanza is not a sent message. */
export class Acknowledgements {
  private readonly waiting = new Map<string, (word: Acknowledgement | null) => void>();

  /** Resolves with the server's word on this id, null where the connection ended first. Ask before sending. */
  expect(id: string): Promise<Acknowledgement | null> {
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  settle(id: string, error: string | null): void {
    this.take(id)?.(error === null ? { ok: true } : { ok: false, error });
  }

  forget(id: string): void {
    this.take(id);
  }

  /** The connection ended: nobody will answer any more. */
  lose(): void {
    for (const id of [...this.waiting.keys()]) this.take(id)?.(null);
  }

  private take(id: string) {
    const resolve = this.waiting.get(id);
    this.waiting.delete(id);
    return resolve;
  }
}

/**
 * What an error in an acknowledgement means. Codes: Baileys `lib/Utils/decode-wa-message.js` (NACK_REASONS,
 * SERVER_ERROR_CODES) and, for the others, their meaning in XMPP.
 */
export function refusal(error: string): SendFailure {
  const code = `ack_${/^\d{3}$/.test(error) ? error : "unknown"}`;
  switch (error) {
    case "463":
      return sendFailure(
        "no",
        code,
        "WhatsApp restricts this account from writing to people who never wrote to it (463); trying again makes it worse.",
      );
    case "479":
      return sendFailure(
        "backoff",
        code,
        "WhatsApp refused the message's addressing (479); the recipient's devices are looked up anew.",
      );
    case "420":
    case "429":
      return sendFailure("backoff", code, "WhatsApp asks to send more slowly.", 30_000);
    case "401":
      return sendFailure("hold", code, "WhatsApp does not accept this device any more.");
    case "400":
    case "403":
    case "404":
    case "405":
    case "406":
    case "410":
      return sendFailure(
        "no",
        code,
        `WhatsApp refused the message (${error}): the recipient cannot be written to from this account.`,
      );
    default:
      return sendFailure("backoff", code, "WhatsApp did not accept the message.");
  }
}
