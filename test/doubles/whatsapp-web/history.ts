import { deflateSync } from "node:zlib";
import { encodeWAMessage, generateMessageIDV2, proto } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import { pairwise } from "./phone-send.ts";
import type { Phone } from "./phone.ts";
import { now, stanza } from "./stanza.ts";

const { HistorySyncType } = proto.HistorySync;

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
  const message: proto.IMessage = {
    protocolMessage: {
      type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
      historySyncNotification: {
        syncType: HistorySyncType.INITIAL_BOOTSTRAP,
        chunkOrder: 1,
        progress: 100,
        initialHistBootstrapInlinePayload: deflateSync(history),
      },
    },
  };
  await phone.main.inOrder(async () => {
    const { type, ciphertext } = await pairwise(phone.main, companion, encodeWAMessage(message));
    companion.deliver(
      stanza(
        "message",
        {
          from: phone.jid,
          id: generateMessageIDV2(phone.jid),
          type: "text",
          category: "peer",
          t: now(),
          notify: phone.account.name,
        },
        [stanza("enc", { v: 2, type }, ciphertext)],
      ),
    );
  });
}
