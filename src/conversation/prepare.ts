import type { TurnAttachment, TurnMessage } from "../agent/agent.ts";
import type { Channel } from "../channels/channel.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Transcriber } from "../speech/transcription.ts";
import type { ConversationStore, PendingMessage } from "../store/contract.ts";
import type { Alarms } from "../telemetry/alarms.ts";
import type { Logger } from "../telemetry/log.ts";
import { endOfId } from "../telemetry/message-id.ts";
import { reasonOf } from "./reason.ts";

export interface PrepareOptions {
  store: ConversationStore;
  /** Where attachments lie, a folder for each message. */
  mediaFolder: string;
  /** All attachments together, bytes; beyond it new ones are not fetched. */
  maxMediaBytes: number;
  alarms: Alarms;
  transcriber: Transcriber | null;
  clock: Clock;
  log: Logger;
}

/** Ends the whole work, and the wait for files and services alone. */
export interface PrepareSignals {
  signal: AbortSignal;
  patience: AbortSignal;
}

/**
 * Makes a stored message what an agent sees: files fetched under the home, voice turned into text. What cannot be
 * fetched or heard, or not before `patience` ends, never costs the turn; the attachment then says why. Throws only
 * the reason of `signal`.
 */
export function messagePreparer(
  options: PrepareOptions,
): (
  channel: Channel,
  entry: PendingMessage,
  signal: AbortSignal,
  patience?: AbortSignal,
) => Promise<TurnMessage> {
  return async (channel, entry, signal, patience = signal) => {
    const signals = { signal, patience: AbortSignal.any([signal, patience]) };
    const { message } = entry;
    const attachments: TurnAttachment[] = [];
    for (const [index, media] of message.attachments.entries()) {
      const { fetchAttachment } = await import("./fetch-attachment.ts");
      attachments.push(await fetchAttachment(options, channel, entry, media, index, signals));
    }
    return {
      id: message.id,
      type: message.type,
      text: await textOf(options, entry, attachments, signals),
      timestamp: message.timestamp,
      sender: {
        phone: message.sender.phone,
        user_id: message.sender.userId,
        lid: message.sender.lid,
        username: message.sender.username,
        name: message.sender.name,
      },
      reply_to: message.replyTo,
      forwarded: message.forwarded,
      attachments,
    };
  };
}

/** The text, or the words of a voice note behind `[Voice] `. */
async function textOf(
  options: PrepareOptions,
  entry: PendingMessage,
  attachments: TurnAttachment[],
  { signal, patience }: PrepareSignals,
): Promise<string> {
  const { message } = entry;
  const { transcriber, log } = options;
  const sound = attachments.find((attachment) => attachment.kind === "audio");
  if (!transcriber || !sound || sound.path === null || message.text !== "") return message.text;
  const refusal = transcriber.accepts({
    voice: message.type === "voice",
    durationSecs: message.attachments[0]?.durationSecs ?? null,
    size: sound.size ?? 0,
  });
  if (refusal !== null) {
    log.info({ id: endOfId(message.id), reason: refusal }, "sound is not transcribed");
    return message.text;
  }
  try {
    const file = { path: sound.path, mimeType: sound.mime_type, filename: sound.filename };
    const words = await transcriber.transcribe(file, patience);
    return words === "" ? "" : `[Voice] ${words}`;
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    const reason = reasonOf(error);
    log.warn({ id: endOfId(message.id), reason }, "a voice note could not be transcribed");
    return message.text;
  }
}
