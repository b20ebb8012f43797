import * as v from "valibot";
import { means, path, positive, rareTable, secret, text } from "./schema-values.ts";

export const transcriptionSchema = rareTable(() => ({
  enabled: v.optional(means(v.boolean(), "Turn voice notes into text"), false),
  default_provider: v.optional(
    means(
      v.picklist(["groq", "openai", "deepgram", "assemblyai", "google", "local_whisper"]),
      "Which service transcribes",
    ),
    "groq",
  ),
  api_key: v.optional(means(secret, "Groq API key; else GROQ_API_KEY")),
  api_url: v.optional(
    means(text, "Groq: OpenAI-style transcription address"),
    "https://api.groq.com/openai/v1/audio/transcriptions",
  ),
  model: v.optional(means(text, "Groq: model name"), "whisper-large-v3-turbo"),
  language: v.optional(means(text, "ISO 639-1 code passed on")),
  initial_prompt: v.optional(means(text, "Words and names the service should expect")),
  max_duration_secs: v.optional(means(positive, "Longer voice notes are not transcribed"), 120),
  transcribe_non_ptt_audio: v.optional(
    means(v.boolean(), "Transcribe audio files too, not only voice notes"),
    false,
  ),
  openai: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "OpenAI API key; else OPENAI_API_KEY")),
        model: v.optional(means(text, "Model name"), "whisper-1"),
      }),
      "OpenAI",
    ),
    {},
  ),
  deepgram: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "Deepgram API key; else DEEPGRAM_API_KEY")),
        model: v.optional(means(text, "Model name"), "nova-2"),
      }),
      "Deepgram",
    ),
    {},
  ),
  assemblyai: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "AssemblyAI API key; else ASSEMBLYAI_API_KEY")),
      }),
      "AssemblyAI",
    ),
    {},
  ),
  google: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "Google API key; else GOOGLE_API_KEY")),
        language_code: v.optional(means(text, "BCP 47 code"), "en-US"),
      }),
      "Google Speech-to-Text",
    ),
    {},
  ),
  local_whisper: v.optional(
    means(
      v.object({
        url: v.optional(means(text, "Address that takes a multipart POST with the field `file`")),
        bearer_token: v.optional(means(secret, "Bearer sent along")),
        max_audio_bytes: v.optional(means(positive, "Larger files are not sent"), 25 * 1024 * 1024),
        timeout_secs: v.optional(means(positive, "Seconds one transcription may take"), 300),
      }),
      "A Whisper server of one's own",
    ),
    {},
  ),
}));

export const ttsSchema = rareTable(() => ({
  enabled: v.optional(
    means(v.boolean(), "Answer a voice note with a voice note too, after the text"),
    false,
  ),
  default_provider: v.optional(
    means(v.picklist(["openai", "elevenlabs", "google", "edge", "piper"]), "Which service speaks"),
    "openai",
  ),
  default_voice: v.optional(means(text, "Voice as the service names it"), "alloy"),
  default_format: v.optional(
    means(
      v.picklist(["mp3", "opus", "wav"]),
      "Accepted, without effect: WhatsApp takes Ogg/Opus alone",
    ),
    "mp3",
  ),
  max_text_length: v.optional(means(positive, "Longer answers are not spoken (characters)"), 4096),
  openai: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "OpenAI API key; else OPENAI_API_KEY")),
        model: v.optional(means(text, "Model name"), "tts-1"),
        speed: v.optional(
          means(v.pipe(v.number(), v.minValue(0.25), v.maxValue(4)), "Speed, 1 is normal"),
          1,
        ),
      }),
      "OpenAI",
    ),
    {},
  ),
  elevenlabs: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "ElevenLabs API key; else ELEVENLABS_API_KEY")),
        model_id: v.optional(means(text, "Model name"), "eleven_monolingual_v1"),
        stability: v.optional(
          means(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), "Stability of the voice"),
          0.5,
        ),
        similarity_boost: v.optional(
          means(v.pipe(v.number(), v.minValue(0), v.maxValue(1)), "Nearness to the voice"),
          0.5,
        ),
      }),
      "ElevenLabs",
    ),
    {},
  ),
  google: v.optional(
    means(
      v.object({
        api_key: v.optional(means(secret, "Google API key; else GOOGLE_API_KEY")),
        language_code: v.optional(means(text, "BCP 47 code"), "en-US"),
      }),
      "Google Text-to-Speech",
    ),
    {},
  ),
  edge: v.optional(
    means(
      v.object({
        binary_path: v.optional(means(path, "Program to run"), "edge-tts"),
      }),
      "Edge TTS through its command-line tool",
    ),
    {},
  ),
  piper: v.optional(
    means(
      v.object({
        api_url: v.optional(
          means(text, "OpenAI-style speech address"),
          "http://127.0.0.1:5000/v1/audio/speech",
        ),
      }),
      "A Piper server of one's own",
    ),
    {},
  ),
}));
