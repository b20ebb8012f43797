import type { Companion } from "./companion.ts";
import type { Connection } from "./connection.ts";
import { type PendingLink, completeLink, offerLink, registrationOf } from "./pairing.ts";
import { PairingCodes } from "./pairing-code.ts";
import { PairingRefs, parseQr } from "./pairing-qr.ts";
import { demandPasskey } from "./passkey.ts";
import type { Phone } from "./phone.ts";
import { Recorder } from "./recorder.ts";
import type { WhatsAppDouble } from "./server.ts";
import { type BinaryNode, result } from "./stanza.ts";

/** The restart a server asks for once a device is linked. */
const RESTART = 515;

/** Linking: from a QR code or a typed code to a device the server knows. */
export class Links {
  readonly refs = new PairingRefs();
  readonly codes = new PairingCodes();
  /** links made, in order */
  readonly made = new Recorder<{ jid: string; device: number; by: "qr" | "code" }>("link");
  private readonly pending = new Map<
    Connection,
    {
      link: PendingLink;
      by: "qr" | "code";
      done: (companion: Companion) => void;
      failed: (error: Error) => void;
    }
  >();

  constructor(private readonly double: WhatsAppDouble) {}

  get count(): number {
    return this.made.count;
  }

  async byQr(phone: Phone, qr: string): Promise<Companion> {
    const code = parseQr(qr);
    const connection = this.refs.take(code.ref);
    const registered = connection.finish && registrationOf(connection.finish);
    if (!registered?.identity.equals(code.identity)) {
      throw new Error("the QR code shows another identity key than the client registered");
    }
    return this.offer(phone, connection, code.identity, code.advSecret, "qr");
  }

  async byCode(phone: Phone, code: string, timeoutMs: number): Promise<Companion> {
    const secrets = await this.codes.enter(phone.account, code, timeoutMs);
    const { connection, identity, advSecret } = secrets;
    return this.offer(phone, connection, identity, advSecret, "code");
  }

  /** A stanza from a client that is not logged in. */
  received(connection: Connection, node: BinaryNode): void {
    const waiting = this.pending.get(connection);
    if (waiting && node.attrs.id === waiting.link.id) {
      this.pending.delete(connection);
      let companion: Companion;
      try {
        companion = completeLink(connection, waiting.link, node);
      } catch (error) {
        waiting.failed(new Error(`the client's signature is not accepted: ${error}`));
        throw error;
      }
      this.made.add({ jid: companion.jid, device: companion.device, by: waiting.by });
      void connection.streamError(RESTART);
      waiting.done(companion);
      return;
    }
    if (node.tag !== "iq" || (node.attrs.type !== "set" && node.attrs.type !== "get")) return;
    if (this.codes.accept(connection, node)) return;
    if (node.attrs.xmlns !== "w:p") this.double.unhandled.add(node);
    void connection.send(result(node));
  }

  /** A client went away: if it was about to be linked, it is not. */
  closed(connection: Connection): void {
    this.pending.get(connection)?.failed(new Error("the client left before it was linked"));
    this.pending.delete(connection);
  }

  private offer(
    phone: Phone,
    connection: Connection,
    identity: Uint8Array,
    advSecret: Uint8Array,
    by: "qr" | "code",
  ): Promise<Companion> {
    if (phone.requiresPasskey) {
      demandPasskey(connection);
      return Promise.reject(new Error("the account must pass a passkey check first"));
    }
    return new Promise((resolve, reject) => {
      const link = offerLink(connection, phone.account, identity, advSecret);
      this.pending.set(connection, { link, by, done: resolve, failed: reject });
    });
  }
}
