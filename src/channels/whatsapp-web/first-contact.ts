import { createHmac } from "node:crypto";
import {
  type BinaryNode,
  type WASocket,
  reduceBinaryNodeToDictionary,
} from "@whiskeysockets/baileys";
import { isTcTokenExpired } from "@whiskeysockets/baileys/lib/Utils/tc-token-utils.js";
import { type GroupCommit, isPassing } from "./group-commit.ts";
import { type Mappings, type Self, isSelf } from "./identity.ts";
import { kindOf, lidOf, phoneOf } from "./jid.ts";
import { jsonOf } from "./key-store.ts";

/** An entry of the session. */
const SALT = { type: "first-contact", id: "salt" };
/** The server's switch `wa_nct_token_send_enabled` (whatsapp-rust `abprops.rs`). */
const SWITCH = "24941";

/**
 * What a message takes along to somebody who has given the account no token of trust: the server may refuse (463) what
 * comes with neither. It is HMAC-SHA256 of the recipient's LID, under a salt that the account's phone tells with its
 * history (whatsmeow `cstoken.go`, whatsapp-rust `tctoken.rs`).
 */
export class FirstContact {
  private wanted = false;

  constructor(
    private readonly commit: GroupCommit,
    private readonly mappings: Mappings,
  ) {}

  /** On disk with what is written next. */
  keepSalt(salt: Uint8Array): void {
    const held = JSON.stringify(Buffer.from(salt).toString("base64"));
    this.commit.stage({ changes: [{ ...SALT, held }], alongside: [] });
  }

  /** The server's switches, all of them: whether it wants to see this. */
  heed(props: BinaryNode): void {
    const value = reduceBinaryNodeToDictionary(props, "prop")[SWITCH];
    this.wanted = value === "true" || value === "1";
  }

  /** What goes with a message to this chat, beside what Baileys adds (`messages-send.js`, relayMessage). */
  async nodesFor(
    chat: string,
    { authState, serverProps }: Pick<WASocket, "authState" | "serverProps">,
    self: Self,
  ): Promise<BinaryNode[]> {
    if (!this.wanted || kindOf(chat) === "group" || isSelf(chat, self)) return [];
    const lid = lidOf(chat) ?? this.mappings.lidOfPhone(phoneOf(chat) ?? "");
    const salt = lid && this.salt;
    if (!salt) return [];
    const { [lid]: trust } = await authState.keys.get("tctoken", [lid]);
    const trusted = trust?.token.length && !isTcTokenExpired(trust.timestamp);
    if (trusted && serverProps.privacyTokenOn1to1) return [];
    return [{ tag: "cstoken", attrs: {}, content: contactToken(salt, lid) }];
  }

  private get salt(): Uint8Array | null {
    try {
      const held = this.commit.get(SALT.type, SALT.id);
      return held === undefined ? null : Buffer.from(JSON.parse(jsonOf(held)), "base64");
    } catch (error) {
      if (isPassing(error)) throw error;
      // Damaged: what must go along with no message holds none up.
      return null;
    }
  }
}

/** `lid`: `…@lid`, without a device. Pure. */
export function contactToken(salt: Uint8Array, lid: string): Buffer {
  return createHmac("sha256", salt).update(lid).digest();
}
