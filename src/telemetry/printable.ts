/**
 * Text from outside (a name, a hint of a server), made safe for a terminal: control, format and bidirectional
 * characters become escapes, so that they can neither move the cursor nor reorder or forge a line.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
