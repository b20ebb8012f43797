/** UTF-8 bytes of a name: file systems allow 255, and something may be put in front. */
const maxNameBytes = 160;
const maxExtensionCharacters = 16;

/** What is invisible or turns the reading direction: controls, zero-width, bidirectional overrides, tags. */
const invisible = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu;
/** Separators, what looks like them, and what Windows refuses. */
const unsafe = /[/\\:*?"<>|\u2044\u2215\u29f8\uff0f\uff3c\u29f5]/g;
const reserved = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i;

/**
 * A name given by a stranger, made safe to use as the last part of a path on any system, and to show: no folder, no
 * control or direction marks, no leading dot or dash, no name that Windows keeps for itself, at most 160 bytes with
 * the extension kept. `fallback` where nothing remains.
 */
export function safeFilename(name: string | null | undefined, fallback: string): string {
  const last = (name ?? "").toWellFormed().normalize("NFC").split(/[/\\]/).at(-1) ?? "";
  const plain = last
    .replace(invisible, "")
    .replace(unsafe, "_")
    .replace(/\s+/g, " ")
    .replace(/^[\s.\-~]+/, "")
    .replace(/[\s.]+$/, "");
  if (plain === "" || /^_+$/.test(plain)) return fallback;
  return shorten(reserved.test(plain) ? `_${plain}` : plain);
}

function shorten(name: string): string {
  if (Buffer.byteLength(name) <= maxNameBytes) return name;
  const dot = name.lastIndexOf(".");
  const extension = dot > 0 && name.length - dot <= maxExtensionCharacters ? name.slice(dot) : "";
  let stem = "";
  let room = maxNameBytes - Buffer.byteLength(extension);
  for (const character of name.slice(0, name.length - extension.length)) {
    room -= Buffer.byteLength(character);
    if (room < 0) break;
    stem += character;
  }
  return stem.trimEnd() + extension;
}
