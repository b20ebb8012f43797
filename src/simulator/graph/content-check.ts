import { graphError, parameterError, refuse } from "./errors.ts";
import { isObject, type Json } from "./json.ts";

interface Content {
  /** Body or caption. */
  text: string | null;
  mediaId: string | null;
}

/** Checks what stands under the type's own key. Throws a `GraphRefusal`. */
type ContentCheck = (content: Json | unknown[]) => Content;

/** Limits of Meta's pages: text 4,096; caption 1,024; buttons 3 of 20; lists 10 rows of 24; header and footer 60. */
export const contentChecks: Readonly<Record<string, ContentCheck | undefined>> = {
  text(content) {
    const text = object("text", content, ["body", "preview_url"]);
    return { text: bounded(text, "text", "body", 4096), mediaId: null };
  },
  reaction(content) {
    const reaction = object("reaction", content, ["message_id", "emoji"]);
    bounded(reaction, "reaction", "message_id", 128);
    const { emoji } = reaction;
    // "" withdraws a reaction.
    if (typeof emoji !== "string") refuse(missing("reaction", "emoji"));
    const graphemes = [...new Intl.Segmenter().segment(emoji)].length;
    if (graphemes > 1 || /^[\w\s]/.test(emoji)) {
      refuse(graphError(131009, "Parameter 'reaction.emoji' must be one emoji"));
    }
    return { text: emoji, mediaId: null };
  },
  image: media("image", ["caption"]),
  video: media("video", ["caption"]),
  document: media("document", ["caption", "filename"]),
  audio: media("audio", ["voice"]),
  sticker: media("sticker", []),
  location(content) {
    const location = object("location", content, ["latitude", "longitude", "name", "address"]);
    for (const key of ["latitude", "longitude"]) {
      if (!Number.isFinite(Number(location[key] ?? "none"))) refuse(missing("location", key));
    }
    return { text: null, mediaId: null };
  },
  contacts(content) {
    if (!Array.isArray(content) || content.length === 0) refuse(missing("contacts", "0"));
    return { text: null, mediaId: null };
  },
  interactive(content) {
    const interactive = object("interactive", content);
    const action = interactive["action"];
    if (!isObject(action)) refuse(missing("interactive", "action"));
    if (interactive["type"] === "button") checkButtons(action);
    if (interactive["type"] === "list") checkList(action);
    const { body, footer } = interactive;
    if (isObject(footer)) bounded(footer, "interactive['footer']", "text", 60);
    if (!isObject(body)) refuse(missing("interactive", "body"));
    const limit = interactive["type"] === "list" ? 4096 : 1024;
    return { text: bounded(body, "interactive['body']", "text", limit), mediaId: null };
  },
  template(content) {
    const template = object("template", content);
    bounded(template, "template", "name", 512);
    if (!isObject(template["language"])) refuse(missing("template", "language"));
    return { text: null, mediaId: null };
  },
};

function media(type: string, extra: string[]): ContentCheck {
  return (content) => {
    const file = object(type, content, ["id", "link", "provider", ...extra]);
    const { id, link, caption } = file;
    if ((typeof id === "string") === (typeof link === "string")) {
      refuse(graphError(131009, `Either '${type}.id' or '${type}.link' must be given`));
    }
    const text = caption === undefined ? null : bounded(file, type, "caption", 1024);
    return { text, mediaId: typeof id === "string" ? id : null };
  };
}

function checkButtons(action: Json): void {
  const { buttons } = action;
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > 3) {
    refuse(
      graphError(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"),
    );
  }
  for (const button of buttons) {
    const reply: unknown = isObject(button) ? button["reply"] : undefined;
    if (!isObject(reply)) refuse(missing("interactive['action']['buttons']", "reply"));
    bounded(reply, "reply", "title", 20);
    bounded(reply, "reply", "id", 256);
  }
}

function checkList(action: Json): void {
  bounded(action, "interactive['action']", "button", 20);
  const { sections } = action;
  if (!Array.isArray(sections)) refuse(missing("interactive['action']", "sections"));
  const rows: unknown[] = sections.flatMap((section: unknown) =>
    isObject(section) && Array.isArray(section["rows"]) ? section["rows"] : [],
  );
  if (rows.length < 1 || rows.length > 10) {
    refuse(graphError(131009, "Total row count exceed max allowed count: 10"));
  }
  for (const row of rows) {
    if (!isObject(row)) refuse(missing("interactive['action']['sections']", "rows"));
    bounded(row, "row", "title", 24);
    bounded(row, "row", "id", 200);
    if (row["description"] !== undefined) bounded(row, "row", "description", 72);
  }
}

function object(type: string, content: Json | unknown[], keys?: string[]): Json {
  if (Array.isArray(content)) refuse(parameterError(`Param ${type} must be a JSON object.`));
  for (const key of keys ? Object.keys(content) : []) {
    if (!keys?.includes(key)) {
      refuse(parameterError(`Unexpected key "${key}" on param "${type}".`));
    }
  }
  return content;
}

/** The non-empty string under `key`, of at most `limit` characters (UTF-16 units, the stricter count). */
function bounded(object: Json, param: string, key: string, limit: number): string {
  const value = object[key];
  if (typeof value !== "string" || value === "") refuse(missing(param, key));
  if (value.length > limit) {
    refuse(parameterError(`Param ${param}['${key}'] must be at most ${limit} characters long.`));
  }
  return value;
}

function missing(param: string, key: string) {
  return parameterError(`The parameter ${param}['${key}'] is required.`);
}
