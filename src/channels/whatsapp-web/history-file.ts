import { type HistoryFindings, HistoryWalk } from "./history-walk.ts";
import { MalformedProtobuf } from "./protobuf-walk.ts";

/** Phones send some ten MB. What compresses better than that is no history. */
const LARGEST_INFLATED = 128 * 1024 * 1024;

/** A chunk of the history that is none; the message says why. */
export class UnreadableHistory extends Error {
  override readonly name = "UnreadableHistory";
}

/**
 * Reads a chunk as it comes, without holding it: zlib around a `HistorySync`. Nothing is answered before its end, where
 * the stream says whether it was genuine. Rejects with {@link UnreadableHistory}, or with what the stream fails with.
 */
export async function readHistory(
  file: ReadableStream<Uint8Array>,
  largestFile: number,
  largestInflated = LARGEST_INFLATED,
): Promise<HistoryFindings> {
  const walk = new HistoryWalk();
  // Its type would have bytes in an `ArrayBuffer` alone.
  const inflate = new DecompressionStream("deflate") as ReadableWritablePair<
    Uint8Array,
    Uint8Array
  >;
  const inflated = file
    .pipeThrough(atMost(largestFile, "it is larger than it was said to be"))
    .pipeThrough(inflate)
    .pipeThrough(atMost(largestInflated, `it inflates to more than ${largestInflated} bytes`));
  try {
    for await (const piece of inflated) walk.push(piece);
    return walk.finish();
  } catch (error) {
    // The word of whoever inflates it.
    const damaged = error instanceof MalformedProtobuf || error instanceof TypeError;
    throw damaged ? new UnreadableHistory(`it is damaged: ${error.message}`) : error;
  }
}

function atMost(bytes: number, why: string): TransformStream<Uint8Array, Uint8Array> {
  let total = 0;
  return new TransformStream({
    transform(piece, controller) {
      total += piece.length;
      if (total > bytes) throw new UnreadableHistory(why);
      controller.enqueue(piece);
    },
  });
}
