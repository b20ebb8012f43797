import * as v from "valibot";
import { once } from "../../../runtime/once.ts";
import { isFields, jsonObject, optional } from "../../../net/json-object.ts";
import { mediaKindOf, type MediaKind, type MediaReference } from "../../message.ts";
import { renderContacts, renderInteractive, renderLocation, renderOrder } from "./render.ts";
import { optionalId, optionalText, type RawMessage } from "./shapes.ts";

/** What one message says. `ignored` names the reason why it starts no turn. */
export type Content =
  | { type: string; text: string; attachments: MediaReference[] }
  | { ignored: "malformed" | "empty_text" };

const mediaShape = once(() =>
  jsonObject({
    id: optionalId,
    /** Since November 2025; valid for minutes, so only of use where the id is missing. */
    url: optionalText,
    mime_type: optionalText,
    caption: optionalText,
    filename: optionalText,
    voice: optional(v.boolean()),
  }),
);

const buttonShape = once(() => jsonObject({ text: optionalText, payload: optionalText }));

/** The text and the files of a message, by its type. A type not known yet gets an honest line of text. */
export function readContent(type: string, message: RawMessage): Content {
  const kind = mediaKindOf(type);
  if (kind) return readMedia(type, kind, message.part(type));
  switch (type) {
    case "text":
      return readText(message.part("text"));
    case "button": {
      const button = v.safeParse(buttonShape(), message.part("button"));
      if (!button.success) return { ignored: "malformed" };
      return line(type, button.output.text ?? button.output.payload ?? "");
    }
    case "interactive":
      return line(type, renderInteractive(message.part("interactive")));
    case "location":
      return rendered(type, renderLocation(message.part("location")));
    case "contacts":
      return rendered(type, renderContacts(message.part("contacts")));
    case "order":
      return rendered(type, renderOrder(message.part("order")));
    default: {
      const name = type.replace(/[^\w.-]+/g, "_").slice(0, 40) || "unknown";
      return line(name, `[Message of type "${name}", which cannot be shown here]`);
    }
  }
}

function readText(raw: unknown): Content {
  const body = isFields(raw) ? raw["body"] : undefined;
  if (typeof body !== "string") return { ignored: "malformed" };
  return body.trim() === "" ? { ignored: "empty_text" } : line("text", body);
}

function readMedia(type: string, kind: MediaKind, raw: unknown): Content {
  const parsed = v.safeParse(mediaShape(), raw);
  if (!parsed.success) return { ignored: "malformed" };
  const media = parsed.output;
  const isVoice = type === "audio" && media.voice === true;
  const fallback = kind === "document" ? media.filename : undefined;
  const attachment: MediaReference = {
    kind,
    mimeType: media.mime_type ?? null,
    filename: media.filename ?? null,
    size: null,
    durationSecs: null,
    source: { id: media.id ?? null, url: media.url ?? null },
  };
  return {
    type: isVoice ? "voice" : type,
    text: media.caption ?? fallback ?? "",
    attachments: media.id === undefined && media.url === undefined ? [] : [attachment],
  };
}

function line(type: string, text: string): Content {
  return { type, text, attachments: [] };
}

function rendered(type: string, text: string | null): Content {
  return text === null ? { ignored: "malformed" } : line(type, text);
}
