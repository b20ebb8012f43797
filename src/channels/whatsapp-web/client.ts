import type { WASocket, proto } from "@whiskeysockets/baileys";
import { startDeadline } from "../../net/deadline.ts";
import type { Fetch } from "../../net/fetch.ts";
import type { Clock } from "../../runtime/clock.ts";
import { sendFailure } from "../failure.ts";
import type { Delivery, Recipient, SendFailure, SendResult } from "../message.ts";
import { Acknowledgements, refusal } from "./acknowledgements.ts";
import type { Caches } from "./caches.ts";
import { isSameChat, isSelf, lidToWrite } from "./identity.ts";
import { kindOf, phoneJid, phoneOf, userOf, withoutDevice } from "./jid.ts";
import { type MediaConnections, NoMediaConnection } from "./media-connection.ts";
import { UnsendableFile, UploadFailed, uploadFile } from "./media-upload.ts";
import {
  type MediaContent,
  type Quotation,
  type Target,
  type UploadedFile,
  aliasOf,
  editMessage,
  mediaMessage,
  messageIdOf,
  reactionMessage,
  revokeMessage,
  stanzaAttributes,
  textMessage,
} from "./outgoing.ts";
import { abortable } from "./patience.ts";
import { refusedWith } from "./socket-error.ts";
import type { SentMessage } from "./sent-messages.ts";
import type { Session } from "./session.ts";

/** Reading devices, encrypting, and the server's word, together. */
const SEND_DEADLINE_MS = 45_000;
const UPLOAD_DEADLINE_MS = 120_000;

export interface ClientOptions {
  clock: Clock;
  fetch: Fetch;
  caches: Caches;
  mediaConnections: MediaConnections;
  session: () => Session;
  /** The socket once logged in; resolves with null where there is none within a moment. */
  ready: (signal: AbortSignal) => Promise<WASocket | null>;
  /** Why there is no connection. */
  whyNot: () => string;
}

/** Sends deliveries. A send succeeds by the server's acknowledgement, by nothing less. */
export class Client {
  readonly acknowledgements = new Acknowledgements();

  constructor(private readonly options: ClientOptions) {}

  async send(delivery: Delivery, signal: AbortSignal): Promise<SendResult> {
    const sock = await this.options.ready(signal);
    if (!sock) return { ok: false, failure: notConnected(this.options.whyNot()) };
    const media = delivery.content.kind === "media";
    const deadline = startDeadline(
      this.options.clock,
      media ? UPLOAD_DEADLINE_MS + SEND_DEADLINE_MS : SEND_DEADLINE_MS,
      signal,
    );
    const id = messageIdOf(delivery.id);
    const group = delivery.recipient.kind === "group";
    try {
      const chat = await this.address(sock, delivery.recipient, deadline.signal);
      if (typeof chat !== "string") return { ok: false, failure: chat };
      const message = await this.compose(sock, id, chat, delivery, deadline.signal);
      const record = { chat, delivery: delivery.id, message };
      const attributes = {
        ...stanzaAttributes(message),
        ...aliasOf(chat, this.options.session().mappings),
      };
      return await this.relay(sock, id, record, attributes, deadline.signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const failure = (group && noGroup(error)) || failureOf(error, deadline.expired);
      return { ok: false, failure };
    } finally {
      deadline.cancel();
    }
  }

  /**
   * The JID to send to; a failure where nobody is there. A person is written to by the LID, as whatsmeow does (`send.go`):
   * of those whose chats go by LIDs, WhatsApp refuses what is addressed to the number (463).
   */
  private async address(
    sock: WASocket,
    recipient: Recipient,
    signal: AbortSignal,
  ): Promise<string | SendFailure> {
    if (recipient.kind === "group") return recipient.id;
    const { self, mappings } = this.options.session();
    const candidates =
      recipient.kind === "self"
        ? [self.phone && phoneJid(self.phone)]
        : [lidToWrite(recipient, mappings), recipient.phone && phoneJid(recipient.phone)];
    for (const jid of candidates) {
      if (!jid || !(await this.hasDevices(sock, jid, signal))) continue;
      // The look-up may have named the LID.
      const named = recipient.kind === "direct" ? lidToWrite(recipient, mappings) : null;
      const isNew = named !== null && !candidates.includes(named);
      return isNew && (await this.hasDevices(sock, named, signal)) ? named : jid;
    }
    const number = candidates.find((jid) => phoneOf(jid));
    if (number && (await isUnknown(sock, number, signal))) {
      return sendFailure("no", "not_on_whatsapp", "The number is not on WhatsApp.");
    }
    return sendFailure(
      "recipient",
      "no_devices",
      "WhatsApp names no device of the recipient: the number may not be on WhatsApp.",
    );
  }

  /** A send to whom no look-up names would reach nobody but the account's own devices, and be acknowledged. */
  private async hasDevices(sock: WASocket, jid: string, signal: AbortSignal): Promise<boolean> {
    const { devices } = this.options.caches;
    const user = userOf(jid) ?? "";
    if (isSelf(jid, this.options.session().self) || devices.get(user)) return true;
    // It drops a number that it names no LID of (`messages-send.js:312`).
    const found = await abortable(sock.getUSyncDevices([jid], true, false), signal);
    if (found.some((device) => device.user === user)) return true;
    devices.del(user);
    return false;
  }

  private async compose(
    sock: WASocket,
    id: string,
    chat: string,
    delivery: Delivery,
    signal: AbortSignal,
  ): Promise<proto.IMessage> {
    const { content } = delivery;
    const now = this.options.clock.now();
    // A repeat is the same message under the same id, its file not uploaded again.
    const { sent, disappearing, self, mappings } = this.options.session();
    const before = sent.get(id);
    if (before?.chat === chat) return before.message;
    // What points at no other message does not name its chat.
    const nameless = content.kind === "text" || content.kind === "media";
    if (before && nameless && isSameChat(before.chat, chat, self, mappings)) return before.message;
    const timer = disappearing.timerOf(chat);
    switch (content.kind) {
      case "text":
        return textMessage(
          content.text,
          content.quote ? this.quotation(chat, content.quote) : null,
          timer,
        );
      case "reaction":
        return reactionMessage(chat, this.target(chat, content.targetId), content.emoji, now);
      case "edit":
        return editMessage(chat, content.targetId, content.text, now);
      case "revoke":
        return revokeMessage(chat, content.targetId);
      case "media":
        return mediaMessage(content, await this.upload(sock, content, signal), timer);
    }
  }

  private async upload(
    sock: WASocket,
    { media, path, mimeType }: MediaContent,
    signal: AbortSignal,
  ): Promise<UploadedFile> {
    const { clock, fetch, mediaConnections } = this.options;
    const connection = await mediaConnections.find(sock, signal);
    return uploadFile({
      path,
      kind: media === "voice" ? "audio" : media,
      mimeType,
      connection,
      fetch,
      now: clock.now(),
      signal,
    });
  }

  private async relay(
    sock: WASocket,
    id: string,
    record: SentMessage,
    attributes: Record<string, string>,
    signal: AbortSignal,
  ): Promise<SendResult> {
    const { chat, message } = record;
    const session = this.options.session();
    const group = kindOf(chat) === "group";
    // Whether the first try, sender key included, reached anybody is not known.
    if (group && session.sent.has(id)) await session.forgetSenderKeyRecipients(chat);
    // On disk before it leaves ({@link holdFrames}): a phone may ask for it again at once, and a crash must not forget that it is ours.
    session.write(session.sent.putting(id, record, this.options.clock.now())).catch(() => {});
    const word = this.acknowledgements.expect(id);
    let written = false;
    try {
      const additionalNodes = await session.firstContact.nodesFor(chat, sock, session.self);
      await abortable(
        sock.relayMessage(chat, message, {
          ...{ messageId: id, additionalAttributes: attributes, additionalNodes },
        }),
        signal,
      );
      written = true;
      const answer = await abortable(word, signal);
      if (answer === null) return { ok: false, failure: lost() };
      if (answer.ok) return { ok: true, platformId: id };
      if (answer.error === "479") this.options.caches.devices.flushAll();
      // It may go by other addresses than it did (421).
      this.options.caches.groups.del(chat);
      return { ok: false, failure: refusal(answer.error) };
    } catch (error) {
      if (!written || !signal.aborted) throw error;
      return { ok: false, failure: lost() };
    } finally {
      this.acknowledgements.forget(id);
      if (!written && group) await session.forgetSenderKeyRecipients(chat);
    }
  }

  /** A message to react to: one received, else one of ours. Named as its writer's phone does, without a device. */
  private target(chat: string, id: string): Target {
    const session = this.options.session();
    const ours = session.sent.has(id);
    const origin = ours ? undefined : session.journal.originOf(id);
    if (!origin) return { id, fromMe: ours, participant: null };
    const { participant, from } = origin;
    return {
      id,
      fromMe: isSelf(participant ?? from, session.self),
      participant: kindOf(chat) === "group" && participant ? withoutDevice(participant) : null,
    };
  }

  /** Null for a message of another chat: an agent may mix ids up, and its words are not for this one. */
  private quotation(chat: string, id: string): Quotation | null {
    const session = this.options.session();
    const known = session.journal.remember(id);
    if (!known) return null;
    const { from = "", participant = from } = known.attributes;
    if (!isSameChat(from, chat, session.self, session.mappings)) return null;
    const writer = withoutDevice(participant);
    return { id, fromMe: false, participant: null, writer, text: known.preview ?? "" };
  }
}

export function notConnected(reason: string): SendFailure {
  return sendFailure("hold", "not_connected", `WhatsApp Web is not connected: ${reason}.`);
}

function lost(): SendFailure {
  return sendFailure(
    "ambiguous",
    "no_ack",
    "WhatsApp did not confirm the message; it is sent again under the same id.",
  );
}

/** Whether the server says that nobody has this number; false where it does not say. */
async function isUnknown(sock: WASocket, jid: string, signal: AbortSignal): Promise<boolean> {
  const found = await abortable(sock.onWhatsApp(jid), signal).catch(() => undefined);
  return found !== undefined && !found.some(({ exists }) => exists);
}

/** The server does not let us see the group; null where the error is another. */
function noGroup(error: unknown): SendFailure | null {
  const code = refusedWith(error);
  if (code !== 403 && code !== 404) return null;
  const hint = "WhatsApp knows no such group, or this account is not in it.";
  return sendFailure("no", `group_${code}`, hint);
}

function failureOf(error: unknown, expired: boolean): SendFailure {
  if (error instanceof UnsendableFile) return sendFailure("no", error.code, error.message);
  if (error instanceof NoMediaConnection) {
    return sendFailure("backoff", "no_media_server", "WhatsApp did not say where files go.");
  }
  if (error instanceof UploadFailed) {
    return sendFailure("backoff", "upload_failed", "No media server of WhatsApp took the file.");
  }
  if (expired) return sendFailure("backoff", "timeout", "WhatsApp did not answer in time.");
  return sendFailure("backoff", "send_failed", "The message could not be handed to WhatsApp.");
}
