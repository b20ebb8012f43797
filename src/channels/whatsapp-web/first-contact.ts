import { createHmac } from "node:crypto";
import {
  type BinaryNode,
  type WASocket,
  reduceBinaryNodeToDictionary,
} from "@whiskeysockets/baileys";
import { isTcTokenExpired } from "@whiskeysockets/baileys/lib/Utils/tc-token-utils.js";
import * as v from "valibot";
import { type GroupCommit, isPassing } from "./group-commit.ts";
import { type Mappings, type Self, isSelf } from "./identity.ts";
import { kindOf, lidOf, phoneOf } from "./jid.ts";
import { jsonOf } from "./key-store.ts";

/** Entries of the session. */
const TYPE = "first-contact";
const SALT = "salt";
const WANTED = "wanted";
/** The server's switch `wa_nct_token_send_enabled` (whatsapp-rust `abprops.rs`). */
const SWITCH = "24941";

/**
 * What a message takes along to somebody who has given the account no token of trust: the server may refuse (463) what
 * comes with neither. It is HMAC-SHA256 of the recipient's LID, under a salt that the account's phone tells with its
 * history (whatsmeow `cstoken.go`, whatsapp-rust `tctoken.rs`).
 */
export class FirstContact {
  /** null: the server has not said since the start. */
  private wanted: boolean | null = null;

  constructor(
    private readonly commit: GroupCommit,
    private readonly mappings: Mappings,
  ) {}

  /** On disk with what is written next. */
  keepSalt(salt: Uint8Array): void {
    this.keep(SALT, Buffer.from(salt).toString("base64"));
  }

  /**
   * The server's switches, all of them: whether it wants to see this. What it said last counts over a restart, too: it
   * says so anew only after the first messages may have left.
   */
  heed(props: BinaryNode): void {
    const value = reduceBinaryNodeToDictionary(props, "prop")[SWITCH];
    const wanted = value === "true" || value === "1";
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.keep(WANTED, String(wanted));
  }

  /** What goes with a message to this chat, beside what Baileys adds (`messages-send.js`, relayMessage). */
  async nodesFor(
    chat: string,
    { authState, serverProps }: Pick<WASocket, "authState" | "serverProps">,
    self: Self,
  ): Promise<BinaryNode[]> {
    if (kindOf(chat) === "group" || isSelf(chat, self)) return [];
    if (!(this.wanted ?? this.kept(WANTED) === "true")) return [];
    const lid = lidOf(chat) ?? this.mappings.lidOfPhone(phoneOf(chat) ?? "");
    const salt = lid && this.kept(SALT);
    if (!salt) return [];
    const { [lid]: trust } = await authState.keys.get("tctoken", [lid]);
    const trusted = trust?.token.length && !isTcTokenExpired(trust.timestamp);
    if (trusted && serverProps.privacyTokenOn1to1) return [];
    return [{ tag: "cstoken", attrs: {}, content: contactToken(Buffer.from(salt, "base64"), lid) }];
  }

  private keep(id: string, value: string): void {
    const change = { type: TYPE, id, held: JSON.stringify(value) };
    this.commit.stage({ changes: [change], alongside: [] });
  }

  private kept(id: string): string | null {
    try {
      const held = this.commit.get(TYPE, id);
      return held === undefined ? null : v.parse(v.string(), JSON.parse(jsonOf(held)));
    } catch (error) {
      if (isPassing(error)) throw error;
      // Damaged: what need not go along holds no message up.
      return null;
    }
  }
}

/** `lid`: `…@lid`, without a device. Pure. */
export function contactToken(salt: Uint8Array, lid: string): Buffer {
  return createHmac("sha256", salt).update(lid).digest();
}
