import * as v from "valibot";
import {
  boolean,
  key,
  number,
  path,
  positive,
  rareTable,
  secret,
  table,
  text,
} from "./schema-values.ts";

export const transcriptionProviders = [
  "groq",
  "openai",
  "deepgram",
  "assemblyai",
  "google",
  "local_whisper",
] as const;
export const ttsProviders = ["openai", "elevenlabs", "google", "edge", "piper"] as const;

export const transcriptionSchema = rareTable(() => ({
  enabled: key(boolean, "Turn voice notes into text", false),
  default_provider: key(v.picklist(transcriptionProviders), "Which service transcribes", "groq"),
  api_key: key(secret, "Groq API key; else GROQ_API_KEY"),
  api_url: key(
    text,
    "Groq: OpenAI-style transcription address",
    "https://api.groq.com/openai/v1/audio/transcriptions",
  ),
  model: key(text, "Groq: model name", "whisper-large-v3-turbo"),
  language: key(text, "ISO 639-1 code passed on"),
  initial_prompt: key(text, "Words and names the service should expect"),
  max_duration_secs: key(positive, "Longer voice notes are not transcribed", 120),
  transcribe_non_ptt_audio: key(boolean, "Transcribe audio files too, not only voice notes", false),
  openai: key(
    table({
      api_key: key(secret, "OpenAI API key; else OPENAI_API_KEY"),
      model: key(text, "Model name", "whisper-1"),
    }),
    "OpenAI",
    {},
  ),
  deepgram: key(
    table({
      api_key: key(secret, "Deepgram API key; else DEEPGRAM_API_KEY"),
      model: key(text, "Model name", "nova-2"),
    }),
    "Deepgram",
    {},
  ),
  assemblyai: key(
    table({
      api_key: key(secret, "AssemblyAI API key; else ASSEMBLYAI_API_KEY"),
    }),
    "AssemblyAI",
    {},
  ),
  google: key(
    table({
      api_key: key(secret, "Google API key; else GOOGLE_API_KEY"),
      language_code: key(text, "BCP 47 code", "en-US"),
    }),
    "Google Speech-to-Text",
    {},
  ),
  local_whisper: key(
    table({
      url: key(text, "Address that takes a multipart POST with the field `file`"),
      bearer_token: key(secret, "Bearer sent along"),
      max_audio_bytes: key(positive, "Larger files are not sent", 25 * 1024 * 1024),
      timeout_secs: key(positive, "Seconds one transcription may take", 300),
    }),
    "A Whisper server of one's own",
    {},
  ),
}));

export const ttsSchema = rareTable(() => ({
  enabled: key(boolean, "Answer a voice note with a voice note too, after the text", false),
  default_provider: key(v.picklist(ttsProviders), "Which service speaks", "openai"),
  default_voice: key(text, "Voice as the service names it", "alloy"),
  default_format: key(
    v.picklist(["mp3", "opus", "wav"]),
    "Accepted, without effect: WhatsApp takes Ogg/Opus alone",
    "mp3",
  ),
  max_text_length: key(positive, "Longer answers are not spoken (characters)", 4096),
  openai: key(
    table({
      api_key: key(secret, "OpenAI API key; else OPENAI_API_KEY"),
      model: key(text, "Model name", "tts-1"),
      speed: key(v.pipe(number, v.minValue(0.25), v.maxValue(4)), "Speed, 1 is normal", 1),
    }),
    "OpenAI",
    {},
  ),
  elevenlabs: key(
    table({
      api_key: key(secret, "ElevenLabs API key; else ELEVENLABS_API_KEY"),
      model_id: key(text, "Model name", "eleven_monolingual_v1"),
      stability: key(v.pipe(number, v.minValue(0), v.maxValue(1)), "Stability of the voice", 0.5),
      similarity_boost: key(
        v.pipe(number, v.minValue(0), v.maxValue(1)),
        "Nearness to the voice",
        0.5,
      ),
    }),
    "ElevenLabs",
    {},
  ),
  google: key(
    table({
      api_key: key(secret, "Google API key; else GOOGLE_API_KEY"),
      language_code: key(text, "BCP 47 code", "en-US"),
    }),
    "Google Text-to-Speech",
    {},
  ),
  edge: key(
    table({
      binary_path: key(path, "Program to run", "edge-tts"),
    }),
    "Edge TTS through its command-line tool",
    {},
  ),
  piper: key(
    table({
      api_url: key(text, "OpenAI-style speech address", "http://127.0.0.1:5000/v1/audio/speech"),
    }),
    "A Piper server of one's own",
    {},
  ),
}));
