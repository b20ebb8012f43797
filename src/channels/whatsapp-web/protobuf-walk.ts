/** A number or a piece of text is wanted; whatever is longer is none of it. */
const LONGEST_VALUE = 1024;
/** Empty fields by the million would keep the event loop busy and say nothing. */
const MOST_FIELDS = 1_000_000;
/** Bytes of the longest number. */
const LONGEST_NUMBER = 10;

const [VARINT, FIXED64, DELIMITED, FIXED32] = [0, 1, 2, 5];

/** The bytes are no protobuf message. */
export class MalformedProtobuf extends Error {
  override readonly name = "MalformedProtobuf";
}

/** One field at a time: where nothing else is asked for, its content is passed over. */
export interface Field {
  number: number;
  /** Whether it has content ({@link ProtobufWalk.content}, {@link ProtobufWalk.within}), else it has a value. */
  delimited: boolean;
  /** Of a number; 0 for content. */
  value: number;
  /** Bytes of the content. */
  length: number;
}

/** Takes a part of the work: yields where it needs more bytes. */
export type Walking<T> = Generator<void, T, void>;

/**
 * A walk over the fields of a protobuf message that comes in pieces, of which no more is held than the piece and one
 * short value. Source: protobuf.dev/programming-guides/encoding.
 */
export class ProtobufWalk {
  private piece: Uint8Array = new Uint8Array();
  private at = 0;
  /** Of the first byte of the piece. */
  private offset = 0;
  private fields = 0;
  /** Where the message that is being read ends. */
  private end = Infinity;
  /** Nothing of a field has been read yet. */
  private between = true;
  private readonly work: Walking<void>;

  /** `visit` is called for each field of the outermost message. */
  constructor(visit: (field: Field) => Walking<void>) {
    this.work = this.message(visit);
  }

  /** Throws {@link MalformedProtobuf}. */
  push(piece: Uint8Array): void {
    this.offset += this.piece.length;
    this.piece = piece;
    this.at = 0;
    this.work.next();
  }

  /** That was all. Throws {@link MalformedProtobuf} where it breaks off. */
  finish(): void {
    if (!this.between) throw new MalformedProtobuf("it breaks off");
  }

  /** The content of a field; null where it is too long to be wanted. */
  *content({ length }: Field): Walking<Buffer | null> {
    if (length > LONGEST_VALUE) return null;
    const content = Buffer.alloc(length);
    for (let filled = 0; filled < length;) {
      while (this.empty) yield;
      const part = this.piece.subarray(this.at, this.at + length - filled);
      content.set(part, filled);
      filled += part.length;
      this.at += part.length;
    }
    return content;
  }

  /** The fields of a message within a field. */
  *within({ length }: Field, visit: (field: Field) => Walking<void>): Walking<void> {
    const outer = this.end;
    this.end = this.position + length;
    yield* this.message(visit);
    this.end = outer;
  }

  private *message(visit: (field: Field) => Walking<void>): Walking<void> {
    const outermost = this.end === Infinity;
    while (this.position < this.end) {
      this.between = outermost;
      while (this.empty) yield;
      this.between = false;
      const field = yield* this.header();
      const next = this.position + field.length;
      if (next > this.end) throw new MalformedProtobuf("a field is longer than its message");
      yield* visit(field);
      yield* this.skip(next - this.position);
    }
  }

  private *header(): Walking<Field> {
    if (++this.fields > MOST_FIELDS) throw new MalformedProtobuf("it has too many fields");
    const tag = yield* this.varint();
    const [number, type] = [Math.floor(tag / 8), tag % 8];
    const delimited = type === DELIMITED;
    if (number === 0) throw new MalformedProtobuf("a field has no number");
    if (delimited) return { number, delimited, value: 0, length: yield* this.varint() };
    if (type === VARINT) return { number, delimited, value: yield* this.varint(), length: 0 };
    if (type !== FIXED64 && type !== FIXED32) throw new MalformedProtobuf("a field has no type");
    return { number, delimited, value: 0, length: type === FIXED64 ? 8 : 4 };
  }

  /** Exact up to 2^53: what is more is neither a length nor a time. */
  private *varint(): Walking<number> {
    let value = 0;
    for (let index = 0; index < LONGEST_NUMBER; index++) {
      while (this.empty) yield;
      const byte = this.piece[this.at++] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80) return value;
    }
    throw new MalformedProtobuf("a number does not end");
  }

  private *skip(length: number): Walking<void> {
    for (let left = length; left > 0;) {
      while (this.empty) yield;
      const step = Math.min(left, this.piece.length - this.at);
      this.at += step;
      left -= step;
    }
  }

  /** More bytes are needed. */
  private get empty(): boolean {
    return this.at === this.piece.length;
  }

  private get position(): number {
    return this.offset + this.at;
  }
}
