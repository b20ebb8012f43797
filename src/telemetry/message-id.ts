/** Enough of an id to find a message by; its random part stands at the end. */
const SHOWN = 16;

/** A platform's message id as a log may show it: a wamid begins with its customer's number, so only the end is kept. */
export function endOfId(id: string): string {
  return id.length <= SHOWN ? id : `…${id.slice(-SHOWN)}`;
}
