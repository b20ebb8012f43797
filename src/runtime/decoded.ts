import { pipeline, Readable, type Duplex } from "node:stream";
import {
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
} from "node:zlib";

const decoders: Record<string, () => Duplex> = {
  gzip: createGunzip,
  "x-gzip": createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
  zstd: createZstdDecompress,
};

/** The answer with its body decoded as it is read. Rejects where nobody here knows the coding. */
export function decoded(
  { status, statusText, headers }: Response,
  body: ReadableStream<Uint8Array>,
  coding: string,
): Response {
  const make = decoders[coding];
  if (!make) {
    body.cancel().catch(() => {});
    throw Object.assign(new Error("the answer has an unknown content coding"), {
      code: "unknown_coding",
    });
  }
  const plain = make();
  // Whoever reads gets the error of either.
  pipeline(Readable.fromWeb(body as never), plain, () => {});
  const kept = new Headers(headers);
  for (const name of ["content-encoding", "content-length"]) kept.delete(name);
  return new Response(Readable.toWeb(plain) as never, { status, statusText, headers: kept });
}
