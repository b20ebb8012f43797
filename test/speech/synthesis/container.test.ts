import { expect, test } from "bun:test";
import { container } from "../../../src/speech/synthesis/voice-note.ts";

const ascii = (text: string) => Buffer.from(text, "latin1");

test.each<[string, Uint8Array, ReturnType<typeof container>]>([
  ["Ogg", ascii("OggS\0\x02"), "ogg"],
  ["WAV", ascii("RIFF\0\0\0\0WAVEfmt "), "wav"],
  ["FLAC", ascii("fLaC\0"), "flac"],
  ["MP3 with a tag", ascii("ID3\x04"), "mp3"],
  ["MP3 without one", Uint8Array.of(0xff, 0xfb, 0x90), "mp3"],
  ["MP3 of the least bits", Uint8Array.of(0xff, 0xe0), "mp3"],
  ["another RIFF", ascii("RIFF\0\0\0\0AVI LIST"), null],
  ["WAVE without RIFF", ascii("RIFX\0\0\0\0WAVEfmt "), null],
  ["a single byte of MP3's", Uint8Array.of(0xff), null],
  ["half of its sync", Uint8Array.of(0xff, 0xc0), null],
  ["the other half", Uint8Array.of(0xfe, 0xfb), null],
  ["a playlist", ascii("#EXTM3U\nfile:///etc/passwd\n"), null],
  ["nothing", new Uint8Array(), null],
])("%s is told by its first bytes", (_, sound, expected) => {
  expect(container(sound)).toBe(expected);
});
