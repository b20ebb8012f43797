/** One way to have text spoken. */
export interface SynthesisService {
  /** What is missing before it can be asked, in words for the operator. */
  missing: string | null;
  /** Never gives Ogg/Opus, so that without ffmpeg there is no voice note. */
  needsConversion: boolean;
  /** Is the text short enough for one request? */
  fits(text: string): boolean;
  /** The sound, in whatever container. Throws SpeechError, or the signal's reason when aborted. */
  speak(text: string, signal: AbortSignal): Promise<Uint8Array>;
}

/** The longest sound that is read: WhatsApp takes no audio over 16 MB. */
export const maxSoundBytes = 16 * 1024 * 1024;
