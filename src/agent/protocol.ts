import * as v from "valibot";
import { jsonObject } from "../net/json-object.ts";
import { shapeProblem } from "../net/shape-problem.ts";
import { AgentError, type AgentPart, type AgentReply, type TurnRequest } from "./agent.ts";

/** The longest answer that is read, in bytes: fifty full messages and their JSON. */
export const maxAnswerBytes = 4 * 1024 * 1024;
const maxParts = 50;
/** The longest single text of an answer, in bytes. */
export const maxTextBytes = 256 * 1024;
/** Longer than any emoji sequence; a reaction is one emoji. */
const maxEmojiLength = 64;

const text = v.pipe(v.string(), v.maxBytes(maxTextBytes, `longer than ${maxTextBytes} bytes`));
const path = v.pipe(
  v.string(),
  v.maxLength(4096),
  v.check((value) => !value.includes("\0"), "holds a NUL character"),
);
const upTo = (length: number) => v.pipe(v.string(), v.maxLength(length));

const partSchema = jsonObject({
  text: v.nullish(text),
  reply_to: v.nullish(upTo(256)),
  reaction: v.nullish(upTo(maxEmojiLength)),
  audio_path: v.nullish(path),
  image_path: v.nullish(path),
  video_path: v.nullish(path),
  document_path: v.nullish(path),
  caption: v.nullish(text),
  filename: v.nullish(upTo(255)),
});

const answerSchema = jsonObject({
  text: v.nullish(text),
  messages: v.nullish(v.pipe(v.array(partSchema), v.maxLength(maxParts))),
});

/** The body of a turn: the JSON of the agent protocol. Half of a character, which many languages refuse, is U+FFFD. */
export function encodeTurn(request: TurnRequest): string {
  return JSON.stringify(request, (_, value: unknown) =>
    typeof value === "string" ? value.toWellFormed() : value,
  );
}

/**
 * Reads an agent's answer: `{"text":"…"}` or `{"messages":[…]}`, each message exactly one of text, reaction and
 * `*_path`. Keys it does not know are left alone, `null` is as good as absent, and so is what is empty beside something
 * that is not, so that agents may serialise whole objects. A blank text says nothing and is dropped.
 * Throws {@link AgentError}, whose detail names places and lengths and never quotes the answer.
 */
export function parseAnswer(body: Uint8Array): AgentReply {
  const answer = v.safeParse(answerSchema, parseJson(body));
  if (!answer.success) throw malformed(shapeProblem(answer.issues));
  const { text: only, messages } = answer.output;
  if (only && messages?.length) throw malformed("it holds both text and messages");
  if (only != null && !messages?.length) return { parts: textParts(only) };
  if (messages != null) return { parts: messages.flatMap(parts) };
  throw malformed("it holds neither text nor messages");
}

function parseJson(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw malformed(`its ${body.length} bytes are not JSON`);
  }
}

function parts(message: v.InferOutput<typeof partSchema>, index: number): AgentPart[] {
  const given = [
    ["text", message.text],
    ["reaction", message.reaction],
    ["audio", message.audio_path],
    ["image", message.image_path],
    ["video", message.video_path],
    ["document", message.document_path],
  ] as const;
  const set = given.flatMap(([kind, value]) => (value == null ? [] : [{ kind, value }]));
  const full = set.filter(({ value }) => value !== "");
  const [first, ...others] = full.length > 0 ? full : set;
  const nameless = first?.value === "" && first.kind !== "text" && first.kind !== "reaction";
  if (!first || others.length > 0 || nameless) {
    throw malformed(`messages[${index}] must hold exactly one of text, reaction and a path`);
  }
  const { kind, value } = first;
  if (kind === "text") return textParts(value, message.reply_to);
  if (kind === "reaction") return [{ kind, emoji: value }];
  return [
    {
      kind: "media",
      media: kind,
      path: value,
      caption: message.caption || null,
      filename: message.filename || null,
    },
  ];
}

function textParts(value: string, replyTo?: string | null): AgentPart[] {
  if (value.trim() === "") return [];
  return [{ kind: "text", text: value, ...(replyTo ? { replyTo } : {}) }];
}

function malformed(what: string): AgentError {
  return new AgentError(`the agent's answer cannot be used: ${what}`, true);
}
