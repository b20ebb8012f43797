/** What went to and fro between a customer and the business. */
export interface Figures {
  /** Webhooks with messages of the customer that were taken. */
  webhooks: number;
  messages: number;
  answers: number;
  /** Each message was answered once, and by what it should be. */
  right: boolean;
}

/**
 * How many answers a customer got. `expected` has the texts of the right answer to each message, in order: a long one
 * comes in several. A text that is of none of them is an answer too many.
 */
export function countAnswers(
  expected: readonly (readonly string[])[],
  received: readonly string[],
): Pick<Figures, "messages" | "answers" | "right"> {
  // The longest first: a short answer may be how a long one begins.
  const known = expected.toSorted((a, b) => b.length - a.length);
  let answers = 0;
  for (let at = 0; at < received.length; answers++) {
    const answer = known.find((texts) => texts.every((text, i) => text === received[at + i]));
    at += Math.max(1, answer?.length ?? 0);
  }
  const wanted = expected.flat();
  const right =
    wanted.length === received.length && wanted.every((text, i) => text === received[i]);
  return { messages: expected.length, answers, right };
}

export function summary({ webhooks, messages, answers, right }: Figures): string {
  const counted = [
    count(webhooks, "webhook"),
    count(messages, "message"),
    count(answers, "answer"),
  ].join(", ");
  const verdict = right
    ? "nothing lost, nothing answered twice."
    : "that is not one answer a message!";
  return `${counted}: ${verdict}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
