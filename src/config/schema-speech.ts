import { z } from "zod";
import { path, positive, secret, text } from "./schema-values.ts";

export const transcriptionSchema = z.object({
  enabled: z.boolean().default(false).describe("Turn voice notes into text"),
  default_provider: z
    .enum(["groq", "openai", "deepgram", "assemblyai", "google", "local_whisper"])
    .default("groq")
    .describe("Which service transcribes"),
  api_key: secret.optional().describe("Groq API key; else GROQ_API_KEY"),
  api_url: text
    .default("https://api.groq.com/openai/v1/audio/transcriptions")
    .describe("Groq: OpenAI-style transcription address"),
  model: text.default("whisper-large-v3-turbo").describe("Groq: model name"),
  language: text.optional().describe("ISO 639-1 code passed on"),
  initial_prompt: text.optional().describe("Words and names the service should expect"),
  max_duration_secs: positive.default(120).describe("Longer voice notes are not transcribed"),
  transcribe_non_ptt_audio: z
    .boolean()
    .default(false)
    .describe("Transcribe audio files too, not only voice notes"),
  openai: z
    .object({
      api_key: secret.optional().describe("OpenAI API key; else OPENAI_API_KEY"),
      model: text.default("whisper-1").describe("Model name"),
    })
    .prefault({})
    .describe("OpenAI"),
  deepgram: z
    .object({
      api_key: secret.optional().describe("Deepgram API key; else DEEPGRAM_API_KEY"),
      model: text.default("nova-2").describe("Model name"),
    })
    .prefault({})
    .describe("Deepgram"),
  assemblyai: z
    .object({ api_key: secret.optional().describe("AssemblyAI API key; else ASSEMBLYAI_API_KEY") })
    .prefault({})
    .describe("AssemblyAI"),
  google: z
    .object({
      api_key: secret.optional().describe("Google API key; else GOOGLE_API_KEY"),
      language_code: text.default("en-US").describe("BCP 47 code"),
    })
    .prefault({})
    .describe("Google Speech-to-Text"),
  local_whisper: z
    .object({
      url: text.optional().describe("Address that takes a multipart POST with the field `file`"),
      bearer_token: secret.optional().describe("Bearer sent along"),
      max_audio_bytes: positive.default(25 * 1024 * 1024).describe("Larger files are not sent"),
      timeout_secs: positive.default(300).describe("Seconds one transcription may take"),
    })
    .prefault({})
    .describe("A Whisper server of one's own"),
});

export const ttsSchema = z.object({
  enabled: z
    .boolean()
    .default(false)
    .describe("Answer a voice note with a voice note too, after the text"),
  default_provider: z
    .enum(["openai", "elevenlabs", "google", "edge", "piper"])
    .default("openai")
    .describe("Which service speaks"),
  default_voice: text.default("alloy").describe("Voice as the service names it"),
  default_format: z
    .enum(["mp3", "opus", "wav"])
    .default("mp3")
    .describe("Accepted, without effect: WhatsApp takes Ogg/Opus alone"),
  max_text_length: positive.default(4096).describe("Longer answers are not spoken (characters)"),
  openai: z
    .object({
      api_key: secret.optional().describe("OpenAI API key; else OPENAI_API_KEY"),
      model: text.default("tts-1").describe("Model name"),
      speed: z.number().min(0.25).max(4).default(1).describe("Speed, 1 is normal"),
    })
    .prefault({})
    .describe("OpenAI"),
  elevenlabs: z
    .object({
      api_key: secret.optional().describe("ElevenLabs API key; else ELEVENLABS_API_KEY"),
      model_id: text.default("eleven_monolingual_v1").describe("Model name"),
      stability: z.number().min(0).max(1).default(0.5).describe("Stability of the voice"),
      similarity_boost: z.number().min(0).max(1).default(0.5).describe("Nearness to the voice"),
    })
    .prefault({})
    .describe("ElevenLabs"),
  google: z
    .object({
      api_key: secret.optional().describe("Google API key; else GOOGLE_API_KEY"),
      language_code: text.default("en-US").describe("BCP 47 code"),
    })
    .prefault({})
    .describe("Google Text-to-Speech"),
  edge: z
    .object({ binary_path: path.default("edge-tts").describe("Program to run") })
    .prefault({})
    .describe("Edge TTS through its command-line tool"),
  piper: z
    .object({
      api_url: text
        .default("http://127.0.0.1:5000/v1/audio/speech")
        .describe("OpenAI-style speech address"),
    })
    .prefault({})
    .describe("A Piper server of one's own"),
});
