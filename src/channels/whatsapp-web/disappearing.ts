import type { proto } from "@whiskeysockets/baileys";
import type { GroupCommit } from "./group-commit.ts";
import { type Mappings, senderOf } from "./identity.ts";
import { kindOf } from "./jid.ts";
import { jsonOf } from "./key-store.ts";
import { sideshow, unwrapped } from "./wrappings.ts";

/** Number of a protobuf enum (`WAProto`: ProtocolMessage.Type). */
const EPHEMERAL_SETTING = 3;
/** Entries of the session. */
export const DISAPPEARING = "disappearing";

/**
 * After how many seconds the messages of a chat disappear, as one of them says (0: they stay); null where it says
 * nothing of that. Phones put it into every message of such a chat, and a mere `conversation` has no place for it.
 */
export function timerIn(raw: proto.IMessage): number | null {
  if (sideshow(raw) === "status") return null;
  const { conversation, protocolMessage, ...content } = unwrapped(raw) ?? {};
  if (protocolMessage) {
    const { type, ephemeralExpiration } = protocolMessage;
    return type === EPHEMERAL_SETTING ? (ephemeralExpiration ?? 0) : null;
  }
  // Its wrapping says that it disappears, and nothing says when.
  if (conversation) return raw.ephemeralMessage ? null : 0;
  for (const part of Object.values(content)) {
    if (part && "contextInfo" in part && part.contextInfo) return part.contextInfo.expiration ?? 0;
  }
  return null;
}

/** The chats whose messages disappear: what is sent there is to disappear as well. */
export class DisappearingChats {
  constructor(
    private readonly commit: GroupCommit,
    private readonly mappings: Mappings,
    /** Whether there may be any: most accounts have none, and look nothing up. */
    private any: boolean,
  ) {}

  /** Seconds; 0 where messages stay. `chat` is a JID: of a person the number or the LID. */
  timerOf(chat: string): number {
    if (!this.any) return 0;
    for (const id of this.names(chat)) {
      const held = this.commit.get(DISAPPEARING, id);
      if (held !== undefined) return Number(jsonOf(held));
    }
    return 0;
  }

  /** Known to {@link timerOf} at once, and on disk with what is written next. */
  note(chat: string, seconds: number): void {
    if (this.timerOf(chat) === seconds) return;
    this.any = true;
    const changes = this.names(chat).map((id, at) => ({
      type: DISAPPEARING,
      id,
      held: at === 0 && seconds > 0 ? String(seconds) : null,
    }));
    this.commit.stage({ changes, alongside: [] });
  }

  private names(chat: string): string[] {
    if (kindOf(chat) === "group") return [chat];
    const { phone, lid } = senderOf([chat], this.mappings);
    return [phone, lid].filter((name) => name !== null);
  }
}
