import type { ModelMessage } from "ai";
import type { TurnAttachment, TurnMessage, TurnRequest, TurnSender } from "./agent.ts";
import { hangingIndent } from "../runtime/hanging-indent.ts";
import { describeAttachment } from "./attachment.ts";
import { isPicture, type TurnImage } from "./images.ts";
import { shorten } from "./shorten.ts";

/**
 * The conversation as a model reads it: the history, then this turn as one user message with its pictures. Pure.
 * Neighbours of one role are joined, empty ones and a leading assistant dropped: Anthropic and several chat
 * templates of local models insist on that form. Its texts are well-formed: providers refuse half of a character.
 */
export function promptMessages(
  request: TurnRequest,
  images: ReadonlyMap<string, TurnImage>,
): ModelMessage[] {
  const history: { role: "user" | "assistant"; text: string }[] = [];
  const append = (role: "user" | "assistant", text: string) => {
    const last = history.at(-1);
    if (text.trim() === "" || (role === "assistant" && !last)) return;
    const whole = text.toWellFormed();
    if (last?.role === role) last.text += `\n\n${whole}`;
    else history.push({ role, text: whole });
  };
  for (const { role, text } of request.history) append(role, text);

  // What the model is not shown it must not take for seen.
  const unseen = (it: TurnAttachment) => isPicture(it) && it.path !== null && !images.has(it.path);
  const lines = request.messages.map((message) => {
    const attachments = message.attachments.map((it) => (unseen(it) ? { ...it, path: null } : it));
    return promptText({ ...message, attachments }, request.chat.kind);
  });
  append("user", lines.filter(Boolean).join("\n") || "[empty message]");

  const pictures = [...images.values()];
  return history.map(({ role, text }, index): ModelMessage => {
    if (role === "assistant" || index < history.length - 1 || pictures.length === 0) {
      return { role, content: text };
    }
    return {
      role,
      content: [
        { type: "text", text },
        ...pictures.map(({ mediaType, data }) => ({ type: "file" as const, mediaType, data })),
      ],
    };
  });
}

/**
 * One message as a line for a model: files as `[image photo.jpg]`, and in a group the writer's name before it. Use
 * it for the history of a group too, so that the model can tell its people apart.
 */
export function promptText(message: TurnMessage, chat: TurnRequest["chat"]["kind"]): string {
  const unheard = message.type === "voice" && message.text === "";
  // The words of a sound, or that there are none, stand for its file.
  const told = unheard || message.text.startsWith("[Voice] ");
  const files = message.attachments.filter(({ kind }) => !told || kind !== "audio");
  const text = [
    ...files.map(describeAttachment),
    unheard ? "[voice note, which could not be turned into text]" : message.text,
  ]
    .filter(Boolean)
    .join(" ");
  if (text === "" || chat !== "group") return text;
  return `${writer(message.sender)}: ${hangingIndent(text)}`;
}

/** What stands before the words in {@link promptText}: the files, and in a group the writer's name. */
export function promptLead(message: TurnMessage, chat: TurnRequest["chat"]["kind"]): string {
  const words = ".";
  return promptText({ ...message, text: words }, chat).slice(0, -words.length);
}

/** People choose their names themselves: one line and a colon-free form, so that no name reads as another's words. */
function writer(sender: TurnSender): string {
  const name = sender.name ?? sender.username ?? sender.phone ?? sender.lid ?? sender.user_id ?? "";
  return shorten(name.replace(/[\s\p{Cc}:]+/gu, " ").trim(), 64) || "someone";
}
