import { expect, test } from "bun:test";
import { doctorTrial } from "../../support/doctor-trial.ts";

const trial = doctorTrial();
const { config, doctor } = trial;

test.each([
  ["a key that is missing", "transcription", `enabled = true`, "set [transcription] api_key"],
  ["a key that is missing", "tts", `enabled = true`, "set [tts.openai] api_key"],
  [
    "a program that is missing",
    "tts",
    `enabled = true\ndefault_provider = "edge"\nedge = { binary_path = "edge-is-not-here" }`,
    "edge-is-not-here is not installed",
  ],
  [
    "ffmpeg, where a server may give WAV",
    "tts",
    `enabled = true\ndefault_provider = "piper"`,
    "ffmpeg is not installed",
  ],
  [
    "ffmpeg, where a program gives MP3",
    "tts",
    `enabled = true\ndefault_provider = "edge"\nedge = { binary_path = "/bin/sh" }`,
    "ffmpeg is not installed",
  ],
])("warns of %s: [%s]", async (_, table, lines, said) => {
  config(`[agent]\nkind = "echo"\n[${table}]\n${lines}\n`);
  trial.env["PATH"] = trial.home;
  const { find } = await doctor();
  const name = table === "tts" ? "voice notes" : "transcription";
  expect(find("speech", name)).toMatchObject({ level: "warning" });
  expect(find("speech", name)?.message).toContain(said);
});
