import * as v from "valibot";

/** What the control API takes. Files travel as base64. */

const bytes = v.pipe(
  v.string(),
  v.check((text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0, "not base64"),
  v.transform((text) => Buffer.from(text, "base64")),
);
const reference = v.object({
  id: v.string(),
  chat: v.string(),
  mine: v.boolean(),
  participant: v.optional(v.string()),
});
const file = { caption: v.optional(v.string()), mimetype: v.optional(v.string()) };
const sound = { mimetype: v.optional(v.string()), seconds: v.optional(v.number()) };

const content = v.union([
  v.pipe(
    v.string(),
    v.transform((text) => ({ text })),
  ),
  v.object({ reaction: v.string(), about: reference }),
  v.object({ edit: reference, text: v.string() }),
  v.object({ revoke: reference }),
  v.object({
    text: v.string(),
    quote: v.optional(v.object({ ...reference.entries, text: v.string() })),
  }),
  v.object({ image: bytes, ...file }),
  v.object({ video: bytes, ...file }),
  v.object({ audio: bytes, ...sound }),
  v.object({ voice: bytes, ...sound }),
  v.object({ document: bytes, fileName: v.string(), ...file }),
  v.object({ sticker: bytes }),
]);

export const NewPhone = v.object({
  number: v.pipe(v.string(), v.regex(/^\d{5,15}$/)),
  name: v.optional(v.string()),
  lid: v.optional(v.string()),
  requiresPasskey: v.optional(v.boolean()),
});

export const Sending = v.object({
  /** a phone's number or a group's JID */
  to: v.string(),
  content,
  id: v.optional(v.string()),
  as: v.optional(v.picklist(["pn", "lid"])),
  alt: v.optional(v.boolean()),
  t: v.optional(v.number()),
  garbled: v.optional(v.boolean()),
  device: v.optional(v.number()),
});

export const NewGroup = v.object({
  subject: v.string(),
  members: v.pipe(v.array(v.string()), v.minLength(1)),
  addressing: v.optional(v.picklist(["pn", "lid"])),
});

export const NewFault = v.object({
  at: v.string(),
  do: v.picklist([
    "cut",
    "cut-after",
    "swallow",
    "delay",
    "duplicate",
    "refuse",
    "stream-error",
    "foreign-certificate",
  ]),
  code: v.optional(v.number()),
  ms: v.optional(v.number()),
  times: v.optional(v.number()),
  skip: v.optional(v.number()),
});

export const Scan = v.object({ phone: v.string(), qr: v.string() });
export const Code = v.object({
  phone: v.string(),
  code: v.string(),
  timeout: v.optional(v.number(), 5_000),
});
export const Read = v.object({
  id: v.string(),
  type: v.optional(v.picklist(["read", "played"]), "read"),
});
export const Typing = v.object({
  to: v.string(),
  state: v.optional(v.picklist(["composing", "recording", "paused"]), "composing"),
});
export const StreamError = v.object({ code: v.number() });
export const OfPhone = v.object({ phone: v.string() });
export const Settings = v.object({
  minimumVersion: v.nullish(v.array(v.number())),
  readReceipts: v.optional(v.picklist(["all", "none"])),
});

/** Leaves out what was not given, as exact optional properties demand. */
export function given<T extends object>(value: T) {
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
