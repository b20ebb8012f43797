import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { ttsSchema } from "../../src/config/schema-speech.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import {
  createSynthesizer,
  type Synthesizer,
  type SynthesizerOptions,
} from "../../src/speech/synthesis.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { opusFile } from "./opus.ts";
import { standIn } from "./stand-in.ts";

/** The key that every provider is given; it must show up nowhere else. */
export const key = "key-77fe-not-to-be-seen";
/** A voice of ElevenLabs'. */
export const voiceId = "21m00Tcm4TlvDq8ikWAM";

/** One stand-in for every speech provider, and synthesizers that ask it. */
export function synthesisBench() {
  const server = standIn();
  const folder = mkdtempSync(join(tmpdir(), "revka-synthesis-"));
  const target = join(folder, "note.ogg");

  /** Each provider, with its key in the table of its own. */
  const providers = {
    openai: { default_provider: "openai", openai: { api_key: key } },
    elevenlabs: {
      default_provider: "elevenlabs",
      default_voice: voiceId,
      elevenlabs: { api_key: key },
    },
    google: { default_provider: "google", google: { api_key: key } },
    piper: { default_provider: "piper", piper: { api_url: `${server.url}/piper/speech` } },
  };

  const bench = {
    server,
    folder,
    target,
    providers,
    everyProvider: Object.entries(providers),
    /** What every provider gives. */
    sound: opusFile(2.4),
    synthesizer(
      config: Record<string, unknown> = providers.openai,
      changes: Partial<SynthesizerOptions> = {},
    ): Synthesizer {
      const created = createSynthesizer({
        config: v.parse(ttsSchema, { enabled: true, ...config }),
        env: { PATH: process.env["PATH"] },
        fetchFor: () => fetch,
        clock: systemClock,
        log: silentLog,
        ffmpeg: null,
        baseUrls: {
          openai: `${server.url}/openai/`,
          elevenlabs: `${server.url}/elevenlabs`,
          googleTextToSpeech: `${server.url}/google`,
        },
        ...changes,
      });
      if (!created) throw new Error("speech is off");
      return created;
    },
    reset() {
      bench.sound = opusFile(2.4);
      server.seen = [];
      server.respond = ({ path }) =>
        path.includes("/google/")
          ? Response.json({ audioContent: Buffer.from(bench.sound).toString("base64") })
          : new Response(bench.sound);
      rmSync(target, { force: true });
    },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true });
    },
  };
  return bench;
}
