import type { WASocket } from "@whiskeysockets/baileys";
import type { Clock } from "../../runtime/clock.ts";
import type { TurnFocus } from "../channel.ts";
import type { Recipient } from "../message.ts";
import { isSelf } from "./identity.ts";
import { kindOf, phoneJid, withoutDevice } from "./jid.ts";
import type { StanzaAttributes } from "./journal.ts";
import type { Session } from "./session.ts";

/** A phone shows "typing…" for about 25 s; it is said again before that. */
const TYPING_EVERY_MS = 10_000;
/** A turn that never ends must not type for ever. */
const TYPING_AT_MOST_MS = 15 * 60_000;

export interface AttentionOptions {
  readReceipts: boolean;
  typing: boolean;
  clock: Clock;
  session: () => Session;
  /** The socket, where logged in. */
  socket: () => WASocket | undefined;
}

/** Read receipts and "typing…" for messages that a turn takes up. Best effort: nothing here fails a turn. */
export class Attention {
  private readonly typing = new Map<string, () => void>();

  constructor(private readonly options: AttentionOptions) {}

  started(focus: TurnFocus): void {
    try {
      const { journal } = this.options.session();
      const origins = focus.messages.map(({ id }) => ({ id, attributes: journal.originOf(id) }));
      if (this.options.readReceipts) this.markRead(origins);
      if (this.options.typing) this.startTyping(focus, origins.at(-1)?.attributes?.from);
    } catch {
      // best effort
    }
  }

  ended(focus: TurnFocus): void {
    this.typing.get(focus.chat.id)?.();
  }

  stop(): void {
    for (const end of [...this.typing.values()]) end();
  }

  /** A receipt goes to the very JID the message came from, number or LID. */
  private markRead(origins: { id: string; attributes: StanzaAttributes | undefined }[]): void {
    const keys = origins.flatMap(({ id, attributes: from }) => {
      if (!from?.from) return [];
      const participant = from.participant ? { participant: withoutDevice(from.participant) } : {};
      return [{ remoteJid: withoutDevice(from.from), id, fromMe: false, ...participant }];
    });
    if (keys.length > 0)
      this.options
        .socket()
        ?.readMessages(keys)
        .catch(() => {});
  }

  private startTyping({ chat, recipient }: TurnFocus, from: string | undefined): void {
    const jid = this.jidOf(recipient, from);
    if (!jid) return;
    this.typing.get(chat.id)?.();
    const { clock, socket } = this.options;
    const until = clock.now() + TYPING_AT_MOST_MS;
    const say = (state: "composing" | "paused") => {
      socket()
        ?.sendPresenceUpdate(state, jid)
        .catch(() => {});
    };
    let cancel = () => {};
    const beat = () => {
      say("composing");
      if (clock.now() < until) cancel = clock.after(TYPING_EVERY_MS, beat);
    };
    this.typing.set(chat.id, () => {
      cancel();
      this.typing.delete(chat.id);
      say("paused");
    });
    beat();
  }

  private jidOf(recipient: Recipient, from: string | undefined): string | null {
    if (recipient.kind === "group") return recipient.id;
    const { self } = this.options.session();
    if (recipient.kind === "self") return self.phone && phoneJid(self.phone);
    if (from && kindOf(from) !== "group" && !isSelf(from, self)) return withoutDevice(from);
    return recipient.phone === null ? recipient.lid : phoneJid(recipient.phone);
  }
}
