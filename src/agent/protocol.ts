import { z } from "zod";
import { AgentError, type AgentPart, type AgentReply, type TurnRequest } from "./agent.ts";

/** The longest answer that is read, in bytes: fifty full messages and their JSON. */
export const maxAnswerBytes = 4 * 1024 * 1024;
const maxParts = 50;
const maxTextBytes = 256 * 1024;
/** Longer than any emoji sequence; a reaction is one emoji. */
const maxEmojiLength = 64;

const text = z
  .string()
  .refine((value) => Buffer.byteLength(value) <= maxTextBytes, `longer than ${maxTextBytes} bytes`);
const path = z
  .string()
  .max(4096)
  .refine((value) => !value.includes("\0"), "holds a NUL character");

const partSchema = z.object({
  text: text.nullish(),
  reply_to: z.string().max(256).nullish(),
  reaction: z.string().max(maxEmojiLength).nullish(),
  audio_path: path.nullish(),
  image_path: path.nullish(),
  video_path: path.nullish(),
  document_path: path.nullish(),
  caption: text.nullish(),
  filename: z.string().max(255).nullish(),
});

const answerSchema = z.object({
  text: text.nullish(),
  messages: z.array(partSchema).max(maxParts).nullish(),
});

/** The body of a turn: the JSON of the agent protocol. */
export function encodeTurn(request: TurnRequest): string {
  return JSON.stringify(request);
}

/**
 * Reads an agent's answer: `{"text":"…"}` or `{"messages":[…]}`, each message exactly one of text, reaction and
 * `*_path`. Keys it does not know are left alone, `null` is as good as absent, and so is what is empty beside something
 * that is not, so that agents may serialise whole objects. A blank text says nothing and is dropped.
 * Throws {@link AgentError}, whose detail names places and lengths and never quotes the answer.
 */
export function parseAnswer(body: Uint8Array): AgentReply {
  const answer = answerSchema.safeParse(parseJson(body));
  if (!answer.success) throw malformed(problem(answer.error));
  const { text: only, messages } = answer.data;
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

function parts(message: z.output<typeof partSchema>, index: number): AgentPart[] {
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

function problem(error: z.ZodError): string {
  const [issue] = error.issues;
  const place = issue?.path.map((key) =>
    typeof key === "number" ? `[${key}]` : `.${String(key)}`,
  );
  return [place?.join("").replace(/^\./, ""), issue?.message].filter(Boolean).join(": ");
}

function malformed(what: string): AgentError {
  return new AgentError(`the agent's answer cannot be used: ${what}`, true);
}
