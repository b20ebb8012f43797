/** Pages of an Ogg file, without checksums: what a reader of headers needs, and nothing that plays. */
export function page(options: {
  serial?: number;
  first?: boolean;
  granule: bigint;
  body: Uint8Array;
}): Uint8Array {
  const lengths: number[] = [];
  for (let rest = options.body.length; ; rest -= 255) {
    lengths.push(Math.min(rest, 255));
    if (rest < 255) break;
  }
  const header = Buffer.alloc(27);
  header.write("OggS");
  header.writeUInt8(options.first ? 2 : 0, 5);
  header.writeBigInt64LE(options.granule, 6);
  header.writeUInt32LE(options.serial ?? 7, 14);
  header.writeUInt8(lengths.length, 26);
  return Buffer.concat([header, Uint8Array.from(lengths), options.body]);
}

export function opusHead(channels: number, preSkip: number, rate: number): Uint8Array {
  const head = Buffer.alloc(19);
  head.write("OpusHead");
  head.writeUInt8(1, 8);
  head.writeUInt8(channels, 9);
  head.writeUInt16LE(preSkip, 10);
  head.writeUInt32LE(rate, 12);
  return head;
}

/** A file that says it is this long. */
export function opusFile(
  seconds: number,
  { channels = 1, preSkip = 312, rate = 16_000, serial = 7, padding = 10 } = {},
): Uint8Array<ArrayBuffer> {
  const granule = BigInt(Math.round(seconds * 48_000) + preSkip);
  const body = new Uint8Array(padding).fill(1);
  return new Uint8Array(
    Buffer.concat([
      page({ serial, first: true, granule: 0n, body: opusHead(channels, preSkip, rate) }),
      page({ serial, granule: 0n, body: Buffer.from("OpusTags") }),
      page({ serial, granule: granule / 2n, body }),
      page({ serial, granule, body }),
    ]),
  );
}
