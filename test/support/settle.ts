/** Lets commits and answers go round: the store commits in `setImmediate`. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((resolve) => setImmediate(resolve));
}
