const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/**
 * A new id that sorts by time: 9 characters of Unix milliseconds and 16 random ones (80 bits), Crockford base 32 in
 * lower case.
 */
export function newId(now: number): string {
  let time = "";
  for (let rest = now, i = 0; i < 9; i++, rest = Math.floor(rest / 32)) {
    time = alphabet.charAt(rest % 32) + time;
  }
  let random = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16)))
    random += alphabet.charAt(byte & 31);
  return time + random;
}
