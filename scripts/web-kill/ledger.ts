/** One message of a person, whose text the agent answers with. */
export interface Written {
  /** Unique. */
  text: string;
  /** Number of the sender, or the group's JID. */
  chat: string;
  /** Numbers of those who must read the answer. */
  readers: string[];
}

/** One message that a phone read. A phone drops an id that it has read before. */
export interface Read {
  reader: string;
  id: string;
  text: string;
}

export interface Ledger {
  messages: number;
  /** Answers that phones must have read, each reader counted. */
  expected: number;
  /** `text → reader` of answers that never came. */
  lost: string[];
  /** Answers that came under more than one id. */
  answeredTwice: string[];
  /** Answers that overtook one of their chat. */
  outOfOrder: string[];
  /** What answers nothing. */
  foreign: string[];
}

/** Compares what was written with what the phones read. Pure. */
export function judge(written: readonly Written[], read: readonly Read[]): Ledger {
  const byText = new Map(written.map((message) => [message.text, message]));
  const ids = new Map<string, Set<string>>();
  const order = new Map<string, string[]>();
  const foreign: string[] = [];
  for (const { reader, id, text } of read) {
    const message = byText.get(text);
    if (!message?.readers.includes(reader)) {
      foreign.push(`${text} → ${reader}`);
      continue;
    }
    const known = ids.get(keyOf(text, reader)) ?? new Set();
    ids.set(keyOf(text, reader), known.add(id));
    if (known.size > 1) continue;
    const lane = `${message.chat} ${reader}`;
    order.set(lane, [...(order.get(lane) ?? []), text]);
  }
  const wanted = written.flatMap(({ text, readers }) =>
    readers.map((reader) => keyOf(text, reader)),
  );
  const place = new Map(written.map(({ text }, index) => [text, index]));
  const overtakes = (texts: string[]) =>
    texts.filter((text, at) => {
      const next = texts[at + 1];
      return next !== undefined && (place.get(text) ?? 0) > (place.get(next) ?? 0);
    });
  return {
    messages: written.length,
    expected: wanted.length,
    lost: wanted.filter((key) => !ids.has(key)),
    answeredTwice: [...ids].filter(([, known]) => known.size > 1).map(([key]) => key),
    outOfOrder: [...order.values()].flatMap(overtakes),
    foreign,
  };
}

function keyOf(text: string, reader: string): string {
  return `${text} → ${reader}`;
}
