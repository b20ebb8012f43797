import type { Clock } from "../../runtime/clock.ts";
import { findExecutable } from "../../runtime/executable.ts";
import { SpeechError } from "../error.ts";
import { maxSoundBytes, type SynthesisService } from "./service.ts";
import { runTool } from "./tool.ts";

export interface EdgeOptions {
  /** A name on PATH or a file. */
  binary: string;
  voice: string;
  env: Record<string, string | undefined>;
  clock: Clock;
  /** The proxy that its requests take, credentials included; null for the direct way. May throw. */
  proxyUrl: (target: URL) => string | null;
}

/** Where edge-tts connects to. */
const target = new URL("wss://speech.platform.bing.com/");

/**
 * The edge-tts program (https://github.com/rany2/edge-tts): text on standard input, MP3 on standard output. It makes
 * its own connections, so a proxy goes to it as an argument, which it understands for http proxies only. A proxy
 * with a password would show in the list of processes: then nothing is spoken.
 */
export function createEdge(options: EdgeOptions): SynthesisService {
  const { binary, voice, env, clock } = options;
  const found = findExecutable(binary, env["PATH"]);

  return {
    missing: found ? null : `${binary} is not installed: set [tts.edge] binary_path`,
    needsConversion: true,
    fits: () => true,
    async speak(text, signal) {
      const proxy = proxyArguments();
      return runTool(
        {
          name: "edge-tts",
          command: [found ?? binary, "--file", "-", ...voiceArguments(voice), ...proxy],
          input: text,
          env,
          clock,
          timeoutMs: 60_000,
          maxOutputBytes: maxSoundBytes,
        },
        signal,
      );
    },
  };

  function proxyArguments(): string[] {
    const proxy = options.proxyUrl(target);
    if (proxy === null) return [];
    const { protocol, username, password } = new URL(proxy);
    if (protocol !== "http:" || username !== "" || password !== "") {
      throw new SpeechError("edge-tts takes only an http proxy without a password", false);
    }
    return [`--proxy=${proxy}`];
  }
}

/** edge-tts' names look like de-DE-KatjaNeural; any other is some other service's, and its own default serves. */
function voiceArguments(voice: string): string[] {
  return /^[a-z]{2,3}-.+Neural$/.test(voice) ? [`--voice=${voice}`] : [];
}
