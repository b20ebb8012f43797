import { encodeWAMessage, generateMessageIDV2, proto } from "@whiskeysockets/baileys";
import type { Companion } from "./companion.ts";
import type { PhoneDevice } from "./phone-device.ts";
import { pairwise } from "./phone-send.ts";
import { now, stanza } from "./stanza.ts";

const { PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE } = proto.Message.ProtocolMessage.Type;
const { PLACEHOLDER_MESSAGE_RESEND } = proto.Message.PeerDataOperationRequestType;

/** Hands a client a message without its content, as WhatsApp does with the first one from an ad. */
export function deliverWithoutContent(
  companion: Companion,
  attributes: Record<string, string | number>,
  unavailable: Record<string, string> = {},
): void {
  const attrs = { type: "text", t: now(), ...attributes };
  companion.deliver(stanza("message", attrs, [stanza("unavailable", unavailable)]));
}

/** What a device says where it answers a request for messages. */
export function answerWith(...messages: proto.IWebMessageInfo[]): proto.IMessage {
  return {
    protocolMessage: {
      type: PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE,
      peerDataOperationRequestResponseMessage: {
        peerDataOperationRequestType: PLACEHOLDER_MESSAGE_RESEND,
        peerDataOperationResult: messages.map((message) => ({
          placeholderMessageResendResponse: {
            webMessageInfoBytes: proto.WebMessageInfo.encode(message).finish(),
          },
        })),
      },
    },
  };
}

/** Has a device answer a request for messages, asked or not. Gives the id of the answer. */
export async function sendAnswer(
  device: PhoneDevice,
  companion: Companion,
  messages: proto.IWebMessageInfo[],
  attributes: Record<string, string> = { category: "peer" },
): Promise<string> {
  const id = generateMessageIDV2(device.account.jid());
  await device.inOrder(async () => {
    const plaintext = encodeWAMessage(answerWith(...messages));
    const { type, ciphertext } = await pairwise(device, companion, plaintext);
    const from = device.account.jid(device.id);
    const attrs = { from, id, type: "text", t: now(), ...attributes };
    companion.deliver(stanza("message", attrs, [stanza("enc", { v: 2, type }, ciphertext)]));
  });
  return id;
}
