/** A request that WATI refuses. */
export class WatiRefusal extends Error {
  constructor(
    readonly status: 400 | 404 | 409,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface WatiFile {
  name: string;
  mimeType: string;
  bytes: Uint8Array;
}

/** What a send asks for. */
export interface WatiSend {
  kind: "text" | "file";
  target: string;
  /** Before the colon of the target. */
  channel: string | null;
  /** Digits, BSUID or conversation id. */
  person: string;
  text: string | null;
  file: WatiFile | null;
}

/** Checks `{ target, text }` as `POST …/messages/text` does. Throws {@link WatiRefusal}. */
export function readText(body: unknown, channels: string[] | null): WatiSend {
  if (typeof body !== "object" || body === null || !("target" in body) || !("text" in body)) {
    throw new WatiRefusal(400, "VALIDATION_ERROR", "The target and text fields are required.");
  }
  const { target, text } = body;
  if (typeof text !== "string" || text === "" || text.length > 4096) {
    throw new WatiRefusal(400, "VALIDATION_ERROR", "The text must have 1 to 4096 characters.");
  }
  return { kind: "text", ...readTarget(target, channels), text, file: null };
}

/** Checks the form of `POST …/messages/file`. Throws {@link WatiRefusal}. */
export async function readFile(form: FormData, channels: string[] | null): Promise<WatiSend> {
  const file = form.get("file");
  const caption = form.get("caption");
  if (!(file instanceof File) || file.size === 0) {
    throw new WatiRefusal(400, "VALIDATION_ERROR", "The file field is required.");
  }
  return {
    kind: "file",
    ...readTarget(form.get("target"), channels),
    text: typeof caption === "string" ? caption : null,
    file: { name: file.name, mimeType: file.type, bytes: new Uint8Array(await file.arrayBuffer()) },
  };
}

function readTarget(target: unknown, channels: string[] | null) {
  const parts = typeof target === "string" ? /^(?:([^:]+):)?([^:]+)$/.exec(target) : null;
  const channel = parts?.[1] ?? null;
  const person = parts?.[2] ?? "";
  const known =
    /^[1-9]\d{4,14}$/.test(person) ||
    /^[A-Z]{2}\.(ENT\.)?\w{1,128}$/.test(person) ||
    /^[0-9a-f]{24}$/.test(person);
  if (!known) throw new WatiRefusal(400, "INVALID_TARGET", "The target is invalid.");
  if (channel !== null && channels !== null && !channels.includes(channel)) {
    throw new WatiRefusal(404, "CHANNEL_NOT_FOUND", "Channel not found.");
  }
  return { target: String(target), channel, person };
}
