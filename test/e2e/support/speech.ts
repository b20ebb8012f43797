import { spawnSync } from "node:child_process";
import { findExecutable } from "../../../src/runtime/executable.ts";
import { startTarget, type Target } from "../../net/target.ts";

const tools = ["espeak-ng", "ffmpeg", "ffprobe"];

/** Why no voice can be made and looked at on this machine; null where it can. */
export const missingTools: string | null = (() => {
  const missing = tools.filter((name) => findExecutable(name, process.env["PATH"]) === null);
  return missing.length === 0 ? null : `not installed: ${missing.join(", ")}`;
})();

export type SoundFormat = "wav" | "mp3" | "opus" | "stereo-opus";

const encoders: Record<Exclude<SoundFormat, "wav">, string[]> = {
  mp3: ["-f", "mp3"],
  opus: ["-ac", "1", "-c:a", "libopus", "-b:a", "16k", "-f", "ogg"],
  "stereo-opus": ["-ac", "2", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg"],
};

/** These words, spoken by espeak-ng. */
export function spoken(words: string, format: SoundFormat): Buffer {
  const wav = run("espeak-ng", ["--stdout", words]);
  if (format === "wav") return wav;
  const pipes = ["-loglevel", "error", "-f", "wav", "-i", "pipe:0", ...encoders[format], "pipe:1"];
  return run("ffmpeg", pipes, wav);
}

/** What a player makes of a sound: it is decoded from its first to its last sample. */
export interface PlayedSound {
  container: string;
  codec: string;
  channels: number;
  /** Of what was decoded. */
  seconds: number;
}

export function play(sound: Uint8Array): PlayedSound {
  const entries = "stream=codec_name,channels:format=format_name";
  const told = run("ffprobe", ["-v", "error", "-show_entries", entries, "-of", "json", "-"], sound);
  const { streams, format }: { streams: Stream[]; format: { format_name: string } } = JSON.parse(
    told.toString("utf8"),
  );
  const rate = 48_000;
  const samples = run(
    "ffmpeg",
    ["-v", "fatal", "-i", "-", "-ac", "1", "-ar", `${rate}`, "-f", "s16le", "pipe:1"],
    sound,
  );
  return {
    container: format.format_name,
    codec: streams[0]?.codec_name ?? "none",
    channels: streams[0]?.channels ?? 0,
    seconds: samples.length / 2 / rate,
  };
}

interface Stream {
  codec_name: string;
  channels: number;
}

function run(command: string, args: string[], input?: Uint8Array): Buffer {
  const done = spawnSync(command, args, { input, maxBuffer: 64 * 1024 * 1024 });
  if (done.status !== 0) throw new Error(`${command}: ${done.stderr?.toString("utf8")}`);
  return done.stdout;
}

/** A transcription service in OpenAI's style. */
export interface TranscriptionStandIn extends Target {
  /** What it answers next: words, or a status of failure. */
  answer: string | number;
  /** The sound of a request. */
  heard(request: number): Promise<{ sound: Buffer; fields: Record<string, string> }>;
}

export async function startTranscription(answer: string | number): Promise<TranscriptionStandIn> {
  const target = await startTarget((_, outgoing) => {
    if (typeof service.answer === "number") return void outgoing.writeHead(service.answer).end();
    outgoing.setHeader("content-type", "application/json");
    outgoing.end(JSON.stringify({ text: service.answer }));
  });
  const service: TranscriptionStandIn = Object.assign(target, {
    answer,
    async heard(request: number) {
      const seen = target.seen[request];
      const form = await new Response(Buffer.from(seen?.body ?? "", "latin1"), {
        headers: { "content-type": String(seen?.headers["content-type"]) },
      }).formData();
      const file = form.get("file");
      const fields = [...form].flatMap(([name, value]) =>
        typeof value === "string" ? [[name, value]] : [],
      );
      const sound = file instanceof Blob ? Buffer.from(await file.arrayBuffer()) : Buffer.alloc(0);
      return { sound, fields: Object.fromEntries(fields) };
    },
  });
  return service;
}

/** A speech service in OpenAI's style, as Piper servers are. */
export interface SpeechStandIn extends Target {
  /** What it gives, whatever format it is asked for; a status is a failure. */
  sound: Uint8Array | number;
  /** Waited for before each answer. */
  ready: Promise<void>;
  /** What it was asked to say. */
  said(): string[];
}

export async function startSpeech(sound: Uint8Array | number): Promise<SpeechStandIn> {
  const target = await startTarget(async (_, outgoing) => {
    await service.ready;
    if (typeof service.sound === "number") return void outgoing.writeHead(service.sound).end();
    outgoing.setHeader("content-type", "application/octet-stream");
    outgoing.end(service.sound);
  });
  const service: SpeechStandIn = Object.assign(target, {
    sound,
    ready: Promise.resolve(),
    said: () =>
      target.seen.map(({ body }) => {
        const { input }: { input: string } = JSON.parse(
          Buffer.from(body, "latin1").toString("utf8"),
        );
        return input;
      }),
  });
  return service;
}

/** The tables that lead a daemon to the stand-ins. */
export function speechConfig(
  services: { transcription?: Target; speech?: Target },
  changes: { transcription?: Record<string, unknown>; tts?: Record<string, unknown> } = {},
): Record<string, unknown> {
  const { transcription, speech } = services;
  return {
    ...(transcription && {
      transcription: {
        enabled: true,
        api_url: `${transcription.url}/v1/audio/transcriptions`,
        api_key: "key-of-transcription",
        ...changes.transcription,
      },
    }),
    ...(speech && {
      tts: {
        enabled: true,
        default_provider: "piper",
        piper: { api_url: `${speech.url}/v1/audio/speech` },
        ...changes.tts,
      },
    }),
  };
}
