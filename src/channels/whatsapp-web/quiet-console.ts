/** How libsignal's messages begin (`session_record.js`, `session_builder.js`, `session_cipher.js`). */
const CHATTER =
  /^(Closing session:|Opening session:|Removing old closed session|Closing open session in favor|Session already (closed|open)|Failed to decrypt message with any known|Session error:|Decrypted message with closed session|Migrating session to|V1 session storage migration error)/;

/** Whether these are libsignal's words, by how they begin. */
export function isLibsignalChatter(first: unknown): boolean {
  return typeof first === "string" && CHATTER.test(first);
}

let installed = false;

/** libsignal prints whole sessions to the console, private keys included. Silences that and nothing else. */
export function silenceLibsignal(): void {
  if (installed) return;
  installed = true;
  for (const level of ["log", "info", "warn", "error"] as const) {
    const speak = console[level].bind(console);
    console[level] = (...words: unknown[]) => {
      if (!isLibsignalChatter(words[0])) speak(...words);
    };
  }
}
