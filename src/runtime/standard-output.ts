/**
 * Standard output, past Node's streams: merely to touch `process.stdout` takes as long as the runtime takes to start.
 * Resolves when all of the text is written; rejects with the system's error (`EPIPE`, `ENOSPC`).
 */
export async function writeStandardOutput(text: string): Promise<void> {
  if (typeof Bun !== "undefined") {
    await Bun.write(Bun.stdout, text);
    return;
  }
  await new Promise<void>((resolve, reject) => {
    process.stdout.once("error", reject);
    process.stdout.write(text, (error) => {
      process.stdout.removeListener("error", reject);
      if (error) reject(error);
      else resolve();
    });
  });
}
