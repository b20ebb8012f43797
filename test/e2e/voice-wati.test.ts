import { expect, setDefaultTimeout, test } from "bun:test";
import { closing } from "../net/closing.ts";
import { startAgent } from "./support/agent.ts";
import {
  missingTools,
  play,
  speechConfig,
  spoken,
  startSpeech,
  startTranscription,
} from "./support/speech.ts";
import { startWati } from "./support/wati.ts";

setDefaultTimeout(20_000);

const closed = closing();
const voiceTest = test.skipIf(missingTools !== null);

voiceTest(
  "a voice note through WATI is heard, and answered in writing and then in voice",
  async () => {
    const transcription = closed(await startTranscription("please call me back"));
    const speech = closed(await startSpeech(spoken("I will call you", "mp3")));
    const agent = await startAgent(() => ({ body: { text: "I **will** call you." } }));
    await using setup = await startWati({
      agent: { kind: "webhook", url: agent.url },
      root: speechConfig({ transcription, speech }, { transcription: { max_duration_secs: 2 } }),
    });
    const { wati } = setup;
    const note = spoken("please call me", "opus");
    const media = { type: "audio", mimeType: "audio/ogg", extension: "opus" } as const;
    await wati.sendMedia("15550001111", { ...media, bytes: note });
    const [text, voice] = await wati.waitForSends({ count: 2 });
    expect(text).toMatchObject({ kind: "text", text: "I *will* call you." });
    expect(voice?.file).toMatchObject({ name: "reply.ogg" });
    expect(voice?.file?.mimeType).toStartWith("audio/ogg");
    expect(play(voice?.file?.bytes ?? new Uint8Array())).toMatchObject({
      container: "ogg",
      codec: "opus",
      channels: 1,
    });
    expect((await transcription.heard(0)).sound.equals(note)).toBe(true);

    // WATI tells no duration: the file does.
    const long = spoken("one two three four five six seven eight nine ten eleven twelve", "opus");
    await wati.sendMedia("15550001111", { ...media, bytes: long });
    await agent.turns.waitFor({ count: 2 });
    expect(agent.turns.entries.map(({ messages: [it] }) => [it?.type, it?.text])).toEqual([
      ["voice", "[Voice] please call me back"],
      ["voice", ""],
    ]);
    expect(transcription.seen).toHaveLength(1);
    agent.stop();
  },
);
