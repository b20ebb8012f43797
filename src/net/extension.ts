/** What people send over WhatsApp, and the names that programs and services know it by. */
const extensions: Record<string, string> = {
  "image/jpeg": "jpg",
  "image/png": "png",
  "image/webp": "webp",
  "image/gif": "gif",
  "image/heic": "heic",
  "video/mp4": "mp4",
  "video/3gpp": "3gp",
  "video/quicktime": "mov",
  "video/webm": "webm",
  "audio/ogg": "ogg",
  "audio/opus": "ogg",
  "audio/mpeg": "mp3",
  "audio/mp3": "mp3",
  "audio/mp4": "m4a",
  "audio/m4a": "m4a",
  "audio/x-m4a": "m4a",
  "audio/aac": "aac",
  "audio/amr": "amr",
  "audio/wav": "wav",
  "audio/x-wav": "wav",
  "audio/webm": "webm",
  "audio/flac": "flac",
  "audio/x-flac": "flac",
  "application/pdf": "pdf",
  "text/plain": "txt",
};

/** How the name of a file of this type ends, without the dot; null where no ending is usual. Parameters count nothing. */
export function extensionOf(mimeType: string): string | null {
  const bare = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return Object.hasOwn(extensions, bare) ? (extensions[bare] ?? null) : null;
}

/** The type that a file's name tells by its ending, in any case; null where it has none of these. */
export function typeOfName(filename: string): string | null {
  const dot = filename.lastIndexOf(".");
  const ending = dot === -1 ? "" : filename.slice(dot + 1).toLowerCase();
  return Object.entries(extensions).find(([, extension]) => extension === ending)?.[0] ?? null;
}
