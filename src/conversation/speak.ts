import { mkdir, rmdir } from "node:fs/promises";
import { join } from "node:path";
import type { AgentPart, TurnRequest } from "../agent/agent.ts";
import type { DeliveryContent } from "../channels/message.ts";
import type { Synthesizer } from "../speech/synthesis.ts";
import type { Logger } from "../telemetry/log.ts";
import type { ComposeTurn } from "./compose.ts";
import { noted, syncFile } from "./files.ts";
import { reasonOf } from "./reason.ts";

export interface SpeakOptions {
  /** As the files of {@link ComposeTurn}. */
  mediaFolder: string;
  synthesizer: Synthesizer;
  keep(messageId: number, file: { path: string; bytes: number }): Promise<void>;
  log: Logger;
}

/** Makes the voice note that follows an answer; null where none is called for or none can be made. */
export type Speak = (
  request: TurnRequest,
  turn: ComposeTurn,
  parts: AgentPart[],
  signal: AbortSignal,
) => Promise<DeliveryContent | null>;

/** Who spoke is answered in voice as well as in writing: one voice note of all that was said. Never throws. */
export function replySpeaker(options: SpeakOptions): Speak {
  const { synthesizer, mediaFolder, keep, log } = options;
  return async (request, turn, parts, signal) => {
    if (!request.messages.some((message) => message.type === "voice")) return null;
    const said = parts.flatMap((part) => (part.kind === "text" ? [part.text] : []));
    if (said.length === 0) return null;
    const folder = join(mediaFolder, "out", request.turn_id);
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const target = join(folder, "reply.ogg");
      const note = await noted(target, async () => {
        const made = await synthesizer.synthesize(said.join("\n\n").toWellFormed(), target, signal);
        if (!made) return null;
        const { size } = await syncFile(made.path);
        await keep(turn.messageId, { path: made.path, bytes: size });
        return made;
      });
      if (!note) {
        await rmdir(folder).catch(() => {});
        return null;
      }
      return {
        kind: "media",
        media: "voice",
        path: note.path,
        mimeType: note.mimeType,
        filename: null,
        caption: null,
        durationSecs: note.durationSecs,
      };
    } catch (error) {
      const reason = reasonOf(error);
      log.warn(
        { turn: request.turn_id, reason },
        "no voice note could be made: the text goes alone",
      );
      return null;
    }
  };
}
