const CHATTER =
  /^(Closing session|Opening session|Removing old closed session|Closing open session|Session already|Failed to decrypt message with any|Session error|Decrypted message with closed|Migrating session)/;

let silent = false;

/** libsignal prints whole sessions to the console, private keys included. Silences just that. */
export function silenceLibsignal(): void {
  if (silent) return;
  silent = true;
  for (const level of ["info", "warn", "error", "log"] as const) {
    const speak = console[level].bind(console);
    console[level] = (...words: unknown[]) => {
      if (typeof words[0] === "string" && CHATTER.test(words[0])) return;
      speak(...words);
    };
  }
}
