import { deflateSync } from "node:zlib";
import { encodeWAMessage, generateMessageIDV2, proto } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import type { MediaStore } from "./media.ts";
import { pairwise } from "./phone-send.ts";
import type { Phone } from "./phone.ts";
import { now, stanza } from "./stanza.ts";

const { HistorySyncType } = proto.HistorySync;

type Notification = proto.Message.IHistorySyncNotification;

/**
 * The phone's first message to a newly linked client: what went before the link, here no more than
 * the LIDs of `phone.history.contacts` and the tokens of those in `trust`. A Baileys client that wants history holds all events back
 * until this comes, or for 20 seconds.
 */
export async function sendHistory(phone: Phone, companion: Companion): Promise<void> {
  if (!phone.history) return;
  const contacts = phone.history.contacts;
  const history = proto.HistorySync.encode({
    syncType: HistorySyncType.INITIAL_BOOTSTRAP,
    phoneNumberToLidMappings: contacts.map(({ jid, lid }) => ({ pnJid: jid, lidJid: lid })),
    conversations: [...(phone.history.trust ?? [])].map(([{ lid }, tcToken]) => ({
      ...{ id: lid, tcToken, tcTokenTimestamp: now() },
    })),
    pushnames: contacts.map(({ jid, account }) => ({ id: jid, pushname: account.name })),
    progress: 100,
  }).finish();
  await announce(phone, companion, {
    syncType: HistorySyncType.INITIAL_BOOTSTRAP,
    chunkOrder: 1,
    progress: 100,
    initialHistBootstrapInlinePayload: deflateSync(history),
  });
}

/** A further part of the past, which the client is to download: `file` is one that is none. */
export interface HistoryChunk {
  history?: Omit<proto.IHistorySync, "syncType">;
  file?: Uint8Array;
  /** the account's salt for first contacts, which Baileys' description of the history lacks */
  salt?: Uint8Array;
  /** what the phone says of it, where that is not the truth */
  said?: Notification;
}

/** The phone uploads a part of the past and tells a client where it lies. */
export async function sendHistoryChunk(
  { phone, companion, media }: { phone: Phone; companion: Companion; media: MediaStore },
  { history = {}, file, salt, said = {} }: HistoryChunk,
): Promise<{ id: string }> {
  const syncType = said.syncType ?? HistorySyncType.RECENT;
  const encoded = proto.HistorySync.encode({
    ...history,
    syncType: HistorySyncType.RECENT,
  }).finish();
  const whole = salt ? Buffer.concat([encoded, saltField(salt)]) : encoded;
  const encrypted = await media.encrypt(file ?? deflateSync(whole), "md-msg-hist");
  const { directPath, mediaKey, fileSha256, fileEncSha256, fileLength } = encrypted;
  const uploaded = { directPath, mediaKey, fileSha256, fileEncSha256, fileLength };
  return announce(phone, companion, {
    ...{ syncType, chunkOrder: 1, progress: 100, ...uploaded, ...said },
  });
}

/** `HistorySync.nctSalt`, number 19: bytes. */
export function saltField(salt: Uint8Array): Buffer {
  return Buffer.concat([Buffer.of(0x9a, 0x01, salt.length), salt]);
}

async function announce(
  phone: Phone,
  companion: Companion,
  historySyncNotification: Notification,
): Promise<{ id: string }> {
  const id = generateMessageIDV2(phone.jid);
  const type = proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION;
  const message: proto.IMessage = { protocolMessage: { type, historySyncNotification } };
  await phone.main.inOrder(async () => {
    const { type, ciphertext } = await pairwise(phone.main, companion, encodeWAMessage(message));
    companion.deliver(
      stanza(
        "message",
        {
          from: phone.jid,
          id,
          type: "text",
          category: "peer",
          t: now(),
          notify: phone.account.name,
        },
        [stanza("enc", { v: 2, type }, ciphertext)],
      ),
    );
  });
  return { id };
}
