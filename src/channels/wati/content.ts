import { basename, extname } from "node:path";
import * as v from "valibot";
import { safeFilename } from "../../net/filename.ts";
import { jsonObject, number, readJson } from "../../net/json-object.ts";
import { mediaKindOf, type MediaKind, type MediaReference } from "../message.ts";
import { optional, text, type WatiEvent } from "./shapes.ts";

/** What one message says. */
export interface Content {
  type: string;
  text: string;
  attachments: MediaReference[];
}

/** What WATI names sound that was spoken into the phone: WhatsApp records voice notes, and only those, as Opus. */
const voiceExtensions = new Set([".opus", ".oga"]);

/** The text and the files of an event by its type; null where it says nothing at all. */
export function readContent(event: WatiEvent): Content | null {
  const text = bodyOf(event);
  const type = (event.type?.trim() || (text === "" ? "" : "text")).toLowerCase();
  if (type === "") return null;
  const kind = mediaKindOf(type);
  if (kind) return readMedia(event, type, kind, text);
  switch (type) {
    case "text":
      return text.trim() === "" ? null : line(type, text);
    case "button":
    case "interactive":
      return line(type, text || tapped(event) || "[Interactive answer without content]");
    case "location":
      return line(type, location(text, event.data));
    case "contacts":
      return line(type, text || contacts(event.messageContact ?? event.data));
    case "order":
      return line(type, text || "[Order]");
    default: {
      const name = type.replace(/[^\w.-]+/g, "_").slice(0, 40);
      return line(name, text || `[Message of type "${name}", which cannot be shown here]`);
    }
  }
}

export function bodyOf(event: WatiEvent): string {
  const { text } = event;
  return (typeof text === "string" ? text : text?.body) ?? event.message?.text ?? "";
}

/** A tap repeats its title in `text`; these are where else it stands. */
function tapped(event: WatiEvent): string | null | undefined {
  const reply = event.listReply ?? event.interactiveButtonReply;
  return reply?.title ?? event.buttonReply?.text ?? reply?.id ?? event.buttonReply?.payload;
}

/**
 * `data` is the address of the file, the bare path of it (`data/images/….jpg`), or null; the message's id leads to it
 * as well. `text` is the caption, for a document the file's name.
 */
function readMedia(event: WatiEvent, type: string, kind: MediaKind, text: string): Content {
  const data = typeof event.data === "string" && event.data !== "" ? event.data : event.mediaUrl;
  const isUrl = data ? /^[a-z][a-z0-9+.-]*:/i.test(data) : false;
  const stored = storedName(data ?? "");
  // Some events repeat the address in `text`.
  const words = text === data ? "" : text;
  const named = kind === "document" ? safeFilename(words || stored, "document") : null;
  const isVoice = voiceExtensions.has(extname(stored).toLowerCase());
  return {
    type: kind === "audio" && isVoice ? "voice" : type,
    text: words || (named ?? ""),
    attachments: [
      {
        kind,
        mimeType: null,
        filename: named,
        size: null,
        durationSecs: null,
        source: {
          url: isUrl && data ? data : null,
          path: !isUrl && data ? data : null,
          id: event.id ?? null,
          whatsappId: event.whatsappMessageId ?? null,
        },
      },
    ],
  };
}

/** The last part of the path that an address or a bare path names. */
function storedName(data: string): string {
  const named = URL.canParse(data) ? new URL(data).searchParams.get("fileName") : null;
  return basename(named ?? data.split(/[?#]/)[0] ?? "");
}

const locationShape = jsonObject({
  latitude: v.union([number, v.string()]),
  longitude: v.union([number, v.string()]),
  name: text,
  address: text,
});

/** Latitude and longitude in degrees, and nothing else. */
const pair = /^\s*(-?\d{1,2}(?:\.\d+)?)\s*,\s*(-?\d{1,3}(?:\.\d+)?)\s*$/;

/** The coordinates are an object in `data`, the same as JSON, or a pair there or in `text`, which else is words. */
function location(text: string, data: unknown): string {
  const inText = pairOf(text);
  const [place] = [fromJson(data), pairOf(data), inText].flatMap((raw) => {
    const parsed = v.safeParse(locationShape, raw);
    return parsed.success ? [parsed.output] : [];
  });
  if (!place) return text || "[Location]";
  const { latitude, longitude, name, address } = place;
  const named = [name, address].filter(Boolean).join(", ");
  const said = inText || named.includes(text) ? "" : text;
  const words = [said, named].filter(Boolean).join(", ");
  return oneLine(`[Location] ${words} (${latitude}, ${longitude})`);
}

function pairOf(raw: unknown): { latitude: string; longitude: string } | null {
  const [, latitude, longitude] = (typeof raw === "string" && pair.exec(raw)) || [];
  return latitude && longitude ? { latitude, longitude } : null;
}

const contactShape = jsonObject({
  name: optional(jsonObject({ formatted_name: v.nullish(v.string()) })),
  phones: optional(v.array(jsonObject({ phone: v.nullish(v.string()) }))),
});

/** People named in one line at most. */
const maxContacts = 50;

function contacts(data: unknown): string {
  const raw = fromJson(data);
  const list = (Array.isArray(raw) ? raw : [raw]).slice(0, maxContacts);
  const people = list.flatMap((item) => {
    const parsed = v.safeParse(contactShape, item);
    if (!parsed.success || (!parsed.output.name && !parsed.output.phones)) return [];
    const numbers = (parsed.output.phones ?? []).map((it) => it.phone).filter(Boolean);
    const shown = parsed.output.name?.formatted_name ?? "Unnamed";
    return [numbers.length > 0 ? `${shown} (${numbers.join(", ")})` : shown];
  });
  return oneLine(`[Contacts] ${people.join("; ")}`);
}

function fromJson(data: unknown): unknown {
  return typeof data === "string" ? readJson(data) : data;
}

function oneLine(words: string): string {
  return words.replace(/\s+/g, " ").trim();
}

function line(type: string, text: string): Content {
  return { type, text, attachments: [] };
}
