import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
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
import { startLinked } from "./support/web.ts";

setDefaultTimeout(30_000);

const closed = closing();
const voiceTest = test.skipIf(missingTools !== null);

voiceTest(
  "a voice note through WhatsApp Web is heard, and answered in writing and then in voice",
  async () => {
    const transcription = closed(await startTranscription("please call me back"));
    const speech = closed(await startSpeech(spoken("I will call you as soon as I can", "wav")));
    const agent = await startAgent(() => ({ body: { text: "I **will** call you." } }));
    await using setup = await startLinked({
      agent: { kind: "webhook", url: agent.url },
      root: speechConfig({ transcription, speech }, { transcription: { max_duration_secs: 30 } }),
    });
    const { ada, owner, daemon } = setup;
    const note = spoken("please call me back as soon as you can", "opus");
    await ada.send(owner, { voice: note, seconds: 3 });
    const voice = await ada.waitForMessage(({ voice }) => voice, 20_000);
    expect(ada.inbox.all.map(({ kind, text }) => [kind, text])).toEqual([
      ["text", "I *will* call you."],
      ["media", undefined],
    ]);
    const { audioMessage } = voice.content;
    expect(audioMessage).toMatchObject({ ptt: true, mimetype: "audio/ogg; codecs=opus" });
    const played = play(await ada.download(voice));
    expect(played).toMatchObject({ container: "ogg", codec: "opus", channels: 1 });
    expect(Math.abs(played.seconds - Number(audioMessage?.seconds))).toBeLessThan(1);

    expect((await transcription.heard(0)).sound.equals(note)).toBe(true);
    const [message] = agent.turns.entries[0]?.messages ?? [];
    expect(message).toMatchObject({ type: "voice", text: "[Voice] please call me back" });
    expect(readFileSync(message?.attachments[0]?.path ?? "").equals(note)).toBe(true);
    expect(message?.attachments[0]?.path).toStartWith(daemon.home);

    // A note that its sender says is too long, and sound that is no voice note, are not heard.
    await ada.send(owner, { voice: note, seconds: 31 });
    await agent.turns.waitFor({ count: 2 });
    await ada.send(owner, { audio: spoken("a song", "mp3") });
    await agent.turns.waitFor({ count: 3 });
    expect(agent.turns.entries.slice(1).map(({ messages: [it] }) => [it?.type, it?.text])).toEqual([
      ["voice", ""],
      ["audio", ""],
    ]);
    expect(transcription.seen).toHaveLength(1);
    agent.stop();
  },
);
