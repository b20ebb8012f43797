import { opusFile } from "../../speech/opus.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const pdf = Buffer.from(
  "%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
);
/** The boxes by which a film is known, and nothing to see. */
const mp4 = Buffer.concat([
  Buffer.from([0, 0, 0, 24]),
  Buffer.from("ftypisom\0\0\u0002\0isommp42", "latin1"),
  Buffer.from([0, 0, 0, 16]),
  Buffer.from("mdatwhatever"),
]);
const webp = Buffer.from("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA", "base64");

/** Small files that are what they seem. */
export const files = {
  png,
  pdf,
  mp4,
  webp,
  /** As an agent's folder holds them; one is larger than Meta takes as a picture. */
  named: {
    "photo.png": png,
    "offer.pdf": pdf,
    "film.mp4": mp4,
    "prices.csv": Buffer.from("name;price\nKäse;3,50\n"),
    "note.ogg": opusFile(2),
    "song.mp3": Buffer.concat([
      Buffer.from("ID3\x03\0\0\0\0\0\0"),
      Buffer.from([0xff, 0xfb, 0x90, 0x64]),
      Buffer.alloc(413),
    ]),
    "large.png": Buffer.concat([png, Buffer.alloc(6.5 * 1000 * 1000)]),
  },
};
