import { z } from "zod";

/** What the control API takes. Files travel as base64. */

const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));
const reference = z.object({
  id: z.string(),
  chat: z.string(),
  mine: z.boolean(),
  participant: z.string().optional(),
});
const file = { caption: z.string().optional(), mimetype: z.string().optional() };
const sound = { mimetype: z.string().optional(), seconds: z.number().optional() };

const content = z.union([
  z.string().transform((text) => ({ text })),
  z.object({ reaction: z.string(), about: reference }),
  z.object({ edit: reference, text: z.string() }),
  z.object({ revoke: reference }),
  z.object({ text: z.string(), quote: reference.extend({ text: z.string() }).optional() }),
  z.object({ image: bytes, ...file }),
  z.object({ video: bytes, ...file }),
  z.object({ audio: bytes, ...sound }),
  z.object({ voice: bytes, ...sound }),
  z.object({ document: bytes, fileName: z.string(), ...file }),
  z.object({ sticker: bytes }),
]);

export const NewPhone = z.object({
  number: z.string().regex(/^\d{5,15}$/),
  name: z.string().optional(),
  lid: z.string().optional(),
  requiresPasskey: z.boolean().optional(),
});

export const Sending = z.object({
  /** a phone's number or a group's JID */
  to: z.string(),
  content,
  id: z.string().optional(),
  as: z.enum(["pn", "lid"]).optional(),
  alt: z.boolean().optional(),
  t: z.number().optional(),
  garbled: z.boolean().optional(),
  device: z.number().optional(),
});

export const NewGroup = z.object({
  subject: z.string(),
  members: z.array(z.string()).min(1),
  addressing: z.enum(["pn", "lid"]).optional(),
});

export const NewFault = z.object({
  at: z.string(),
  do: z.enum(["cut", "cut-after", "swallow", "delay", "duplicate", "refuse", "stream-error"]),
  code: z.number().optional(),
  ms: z.number().optional(),
  times: z.number().optional(),
  skip: z.number().optional(),
});

export const Scan = z.object({ phone: z.string(), qr: z.string() });
export const Code = z.object({
  phone: z.string(),
  code: z.string(),
  timeout: z.number().default(5_000),
});
export const Read = z.object({ id: z.string(), type: z.enum(["read", "played"]).default("read") });
export const Typing = z.object({
  to: z.string(),
  state: z.enum(["composing", "recording", "paused"]).default("composing"),
});
export const StreamError = z.object({ code: z.number() });
export const OfPhone = z.object({ phone: z.string() });
export const Settings = z.object({
  minimumVersion: z.array(z.number()).nullable().optional(),
  readReceipts: z.enum(["all", "none"]).optional(),
});

/** Leaves out what was not given, as exact optional properties demand. */
export function given<T extends object>(value: T) {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
