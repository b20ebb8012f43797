import { z } from "zod";
import { means, path, positive, secret, text } from "./schema-values.ts";

export const transcriptionSchema = z.object({
  enabled: z
    .boolean()
    .default(false)
    .register(...means("Turn voice notes into text")),
  default_provider: z
    .enum(["groq", "openai", "deepgram", "assemblyai", "google", "local_whisper"])
    .default("groq")
    .register(...means("Which service transcribes")),
  api_key: secret.optional().register(...means("Groq API key; else GROQ_API_KEY")),
  api_url: text
    .default("https://api.groq.com/openai/v1/audio/transcriptions")
    .register(...means("Groq: OpenAI-style transcription address")),
  model: text.default("whisper-large-v3-turbo").register(...means("Groq: model name")),
  language: text.optional().register(...means("ISO 639-1 code passed on")),
  initial_prompt: text.optional().register(...means("Words and names the service should expect")),
  max_duration_secs: positive
    .default(120)
    .register(...means("Longer voice notes are not transcribed")),
  transcribe_non_ptt_audio: z
    .boolean()
    .default(false)
    .register(...means("Transcribe audio files too, not only voice notes")),
  openai: z
    .object({
      api_key: secret.optional().register(...means("OpenAI API key; else OPENAI_API_KEY")),
      model: text.default("whisper-1").register(...means("Model name")),
    })
    .prefault({})
    .register(...means("OpenAI")),
  deepgram: z
    .object({
      api_key: secret.optional().register(...means("Deepgram API key; else DEEPGRAM_API_KEY")),
      model: text.default("nova-2").register(...means("Model name")),
    })
    .prefault({})
    .register(...means("Deepgram")),
  assemblyai: z
    .object({
      api_key: secret.optional().register(...means("AssemblyAI API key; else ASSEMBLYAI_API_KEY")),
    })
    .prefault({})
    .register(...means("AssemblyAI")),
  google: z
    .object({
      api_key: secret.optional().register(...means("Google API key; else GOOGLE_API_KEY")),
      language_code: text.default("en-US").register(...means("BCP 47 code")),
    })
    .prefault({})
    .register(...means("Google Speech-to-Text")),
  local_whisper: z
    .object({
      url: text
        .optional()
        .register(...means("Address that takes a multipart POST with the field `file`")),
      bearer_token: secret.optional().register(...means("Bearer sent along")),
      max_audio_bytes: positive
        .default(25 * 1024 * 1024)
        .register(...means("Larger files are not sent")),
      timeout_secs: positive.default(300).register(...means("Seconds one transcription may take")),
    })
    .prefault({})
    .register(...means("A Whisper server of one's own")),
});

export const ttsSchema = z.object({
  enabled: z
    .boolean()
    .default(false)
    .register(...means("Answer a voice note with a voice note too, after the text")),
  default_provider: z
    .enum(["openai", "elevenlabs", "google", "edge", "piper"])
    .default("openai")
    .register(...means("Which service speaks")),
  default_voice: text.default("alloy").register(...means("Voice as the service names it")),
  default_format: z
    .enum(["mp3", "opus", "wav"])
    .default("mp3")
    .register(...means("Accepted, without effect: WhatsApp takes Ogg/Opus alone")),
  max_text_length: positive
    .default(4096)
    .register(...means("Longer answers are not spoken (characters)")),
  openai: z
    .object({
      api_key: secret.optional().register(...means("OpenAI API key; else OPENAI_API_KEY")),
      model: text.default("tts-1").register(...means("Model name")),
      speed: z
        .number()
        .min(0.25)
        .max(4)
        .default(1)
        .register(...means("Speed, 1 is normal")),
    })
    .prefault({})
    .register(...means("OpenAI")),
  elevenlabs: z
    .object({
      api_key: secret.optional().register(...means("ElevenLabs API key; else ELEVENLABS_API_KEY")),
      model_id: text.default("eleven_monolingual_v1").register(...means("Model name")),
      stability: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .register(...means("Stability of the voice")),
      similarity_boost: z
        .number()
        .min(0)
        .max(1)
        .default(0.5)
        .register(...means("Nearness to the voice")),
    })
    .prefault({})
    .register(...means("ElevenLabs")),
  google: z
    .object({
      api_key: secret.optional().register(...means("Google API key; else GOOGLE_API_KEY")),
      language_code: text.default("en-US").register(...means("BCP 47 code")),
    })
    .prefault({})
    .register(...means("Google Text-to-Speech")),
  edge: z
    .object({ binary_path: path.default("edge-tts").register(...means("Program to run")) })
    .prefault({})
    .register(...means("Edge TTS through its command-line tool")),
  piper: z
    .object({
      api_url: text
        .default("http://127.0.0.1:5000/v1/audio/speech")
        .register(...means("OpenAI-style speech address")),
    })
    .prefault({})
    .register(...means("A Piper server of one's own")),
});
