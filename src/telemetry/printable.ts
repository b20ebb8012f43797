/**
 * Text from outside (a name, a hint of a server), made safe for a terminal: control, format and bidirectional
 * characters become escapes, so that they can neither move the cursor nor reorder or forge a line.
 */
export function printable(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}

/** As {@link printable}, of a text whose lines stay lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** Visible characters of ASCII and spaces alone, as in most texts: the tables of Unicode take a while to come by. */
function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit < 0x20 || unit > 0x7e) return false;
  }
  return true;
}
