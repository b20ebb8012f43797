/** How libsignal's messages begin (`session_record.js`, `session_builder.js`, `session_cipher.js`). */
const CHATTER =
  /^(Closing session|Opening session|Removing old closed session|Closing open session in favor|Session already (closed|open)|Failed to decrypt message with any known|Session error:|Decrypted message with closed session|Migrating session to|V1 session storage migration error)/;

let installed = false;

/** libsignal prints whole sessions to the console, private keys included. Silences that and nothing else. */
export function silenceLibsignal(): void {
  if (installed) return;
  installed = true;
  for (const level of ["log", "info", "warn", "error"] as const) {
    const speak = console[level].bind(console);
    console[level] = (...words: unknown[]) => {
      if (typeof words[0] === "string" && CHATTER.test(words[0])) return;
      speak(...words);
    };
  }
}
