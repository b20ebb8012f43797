import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { content } from "../../src/simulator/graph/content.ts";
import type { SendRecord } from "../../src/simulator/graph/record.ts";
import type { GraphSimulator } from "../../src/simulator/graph.ts";
import { closing } from "../net/closing.ts";
import { startAgent } from "./support/agent.ts";
import { startCloud } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";
import {
  missingTools,
  play,
  speechConfig,
  spoken,
  startSpeech,
  startTranscription,
} from "./support/speech.ts";

setDefaultTimeout(30_000);

const ada = { phone: "+15550001111", name: "Ada" };
const closed = closing();
const voiceTest = test.skipIf(missingTools !== null);
if (missingTools !== null) console.warn(`voice notes are not tested: ${missingTools}`);

/** A daemon in Cloud mode whose agent answers `answer`, between a person and both stand-ins. */
async function startVoice(
  answer: string,
  options: {
    transcription?: Record<string, unknown>;
    tts?: Record<string, unknown>;
    services?: ("transcription" | "speech")[];
    env?: Record<string, string>;
  } = {},
) {
  const transcription = closed(await startTranscription("please call me back"));
  const speech = closed(await startSpeech(spoken("this is my answer", "opus")));
  const pause = { before: async () => {} };
  const agent = await startAgent(async () => {
    await pause.before();
    return { body: { text: answer } };
  });
  const services = options.services ?? ["transcription", "speech"];
  const setup = await startCloud(
    {
      agent: { kind: "webhook", url: agent.url },
      root: speechConfig(
        {
          ...(services.includes("transcription") ? { transcription } : {}),
          ...(services.includes("speech") ? { speech } : {}),
        },
        options,
      ),
    },
    { daemon: { env: options.env ?? {} } },
  );
  closed({ close: () => setup[Symbol.asyncDispose]() });
  closed({ close: async () => agent.stop() });
  return { ...setup, agent: Object.assign(pause, agent), transcription, speech };
}

function uploadOf(graph: GraphSimulator, send: SendRecord | undefined) {
  const audio = send?.body["audio"];
  const id = typeof audio === "object" && audio !== null && "id" in audio ? String(audio.id) : "";
  const file = graph.media.get(id);
  if (!file) throw new Error("nothing was uploaded for this message");
  return file;
}

describe("a voice note through the Cloud API", () => {
  voiceTest(
    "is heard, and answered in writing and then in voice, whatever the service gives",
    async () => {
      const { graph, agent, transcription, speech } = await startVoice("I **will** call you.");
      const note = spoken("please call me back as soon as you can", "opus");
      const { seconds } = play(spoken("I will call you as soon as I can", "wav"));
      const formats = ["wav", "mp3", "opus", "stereo-opus"] as const;
      for (const [index, format] of formats.entries()) {
        speech.sound = spoken("I will call you as soon as I can", format);
        const file = graph.file(note, "audio/ogg; codecs=opus");
        graph.write({ from: ada, content: content.voice(file) });
        const sends = await graph.waitForSends({ to: ada.phone, count: 2 * (index + 1) });
        const [text, voice] = sends.slice(-2);
        expect(text).toMatchObject({ type: "text", text: "I *will* call you." });
        expect(voice).toMatchObject({ type: "audio", body: { audio: { voice: true } } });
        const upload = uploadOf(graph, voice);
        expect(upload.mimeType).toBe("audio/ogg");
        const played = play(upload.bytes);
        expect(played).toMatchObject({ container: "ogg", codec: "opus", channels: 1 });
        expect(Math.abs(played.seconds - seconds)).toBeLessThan(0.15);
      }
      expect(speech.said()).toEqual(formats.map(() => "I will call you."));

      const { sound, fields } = await transcription.heard(0);
      expect(sound.equals(note)).toBe(true);
      expect(fields).toMatchObject({ model: "whisper-large-v3-turbo" });
      expect(transcription.seen[0]?.headers["authorization"]).toBe("Bearer key-of-transcription");
      const [message] = agent.turns.entries[0]?.messages ?? [];
      expect(message).toMatchObject({ type: "voice", text: "[Voice] please call me back" });
      const [attachment] = message?.attachments ?? [];
      expect(attachment).toMatchObject({ kind: "audio", size: note.length });
      expect(attachment?.mime_type).toStartWith("audio/ogg");
      expect(readFileSync(attachment?.path ?? "").equals(note)).toBe(true);
      // Asked for its address and then for its bytes, each with the token.
      expect(graph.records.downloads.entries).toHaveLength(formats.length);
      expect(agent.turns.entries[1]?.history[0]?.text).toBe("[Voice] please call me back");
    },
  );

  voiceTest("code and addresses are not read out", async () => {
    const answer =
      "Run this:\n\n```\nrm -rf build\n```\n\nSee https://example.com/manual for more.";
    const { graph, speech } = await startVoice(answer);
    graph.write({
      from: ada,
      content: content.voice(graph.file(spoken("how", "opus"), "audio/ogg")),
    });
    const [text, voice] = await graph.waitForSends({ to: ada.phone, count: 2 });
    expect(text?.text).toContain("rm -rf build");
    expect(voice?.type).toBe("audio");
    expect(speech.said()).toEqual(["Run this:\nSee for more."]);
  });

  voiceTest("the text does not wait for the voice; the next answer does", async () => {
    const { graph, agent, speech } = await startVoice("ok");
    let finish = () => {};
    speech.ready = new Promise((resolve) => (finish = resolve));
    const file = graph.file(spoken("hello", "opus"), "audio/ogg");
    graph.write({ from: ada, content: content.voice(file) });
    await graph.waitForSends({ to: ada.phone, count: 1 });
    graph.write({ from: ada, content: content.text("and another thing") });
    graph.write({ from: { phone: "+15550002222" }, content: content.text("hello") });
    await graph.waitForSends({ to: "+15550002222" });
    finish();
    await graph.waitForSends({ to: ada.phone, count: 3 });
    expect(graph.records.sentTo(ada.phone).map(({ type }) => type)).toEqual([
      "text",
      "audio",
      "text",
    ]);
    expect(agent.turns.entries).toHaveLength(3);
  });

  voiceTest("what is written is answered in writing alone", async () => {
    const { graph, speech } = await startVoice("written");
    graph.write({ from: ada, content: content.text("hello") });
    graph.write({ from: { phone: "+15550002222" }, content: content.text("hello") });
    await graph.waitForSends({ count: 2 });
    await graph.idle();
    expect(graph.records.sends.entries.map(({ type }) => type)).toEqual(["text", "text"]);
    expect(speech.seen).toEqual([]);
  });
});

describe("a voice note is answered in spite of", () => {
  const note = missingTools === null ? spoken("hello", "opus") : Buffer.alloc(0);
  const voiceOf = (graph: GraphSimulator, sound = note) =>
    content.voice(graph.file(sound, "audio/ogg; codecs=opus"));

  voiceTest("transcription that is off", async () => {
    const { graph, agent } = await startVoice("ok", { services: ["speech"] });
    graph.write({ from: ada, content: voiceOf(graph) });
    await graph.waitForSends({ to: ada.phone, count: 2 });
    expect(agent.turns.entries[0]?.messages[0]).toMatchObject({ type: "voice", text: "" });
  });

  voiceTest("services that fail: the turn has no words, the answer no voice", async () => {
    const { graph, agent, transcription, speech, daemon } = await startVoice("ok");
    transcription.answer = 500;
    speech.sound = 503;
    graph.write({ from: ada, content: voiceOf(graph) });
    // It is asked three times.
    await graph.waitForSends({ to: ada.phone, timeoutMs: 15_000 });
    expect(agent.turns.entries[0]?.messages[0]).toMatchObject({ type: "voice", text: "" });
    expect(agent.turns.entries[0]?.messages[0]?.attachments[0]?.error).toBeUndefined();
    await daemon.waitForLog("could not be transcribed");
    // So is this one.
    await daemon.waitForLog("no voice note could be made", 15_000);

    // And once they are back, so are the words and the voice.
    transcription.answer = "back again";
    speech.sound = note;
    graph.write({ from: ada, content: voiceOf(graph) });
    const sends = await graph.waitForSends({ to: ada.phone, count: 3 });
    expect(sends.map(({ type }) => type)).toEqual(["text", "text", "audio"]);
    expect(agent.turns.entries[1]?.messages[0]?.text).toBe("[Voice] back again");
  });

  voiceTest("a speech service that gives no sound", async () => {
    const { graph, speech } = await startVoice("ok", { services: ["speech"] });
    speech.sound = Buffer.from("<html>busy</html>");
    graph.write({ from: ada, content: voiceOf(graph) });
    graph.write({ from: ada, content: content.text("and this") });
    const sends = await graph.waitForSends({ to: ada.phone, count: 2 });
    expect(sends.map(({ type }) => type)).toEqual(["text", "text"]);
  });

  voiceTest("ffmpeg that is missing: only what needs no conversion is spoken", async () => {
    const { graph, speech, daemon } = await startVoice("ok", {
      services: ["speech"],
      env: { PATH: "/nowhere" },
    });
    speech.sound = spoken("ok", "wav");
    graph.write({ from: ada, content: voiceOf(graph) });
    await daemon.waitForLog("ffmpeg is not installed");
    await graph.waitForSends({ to: ada.phone, count: 1 });
    speech.sound = spoken("ok", "opus");
    graph.write({ from: ada, content: voiceOf(graph) });
    const sends = await graph.waitForSends({ to: ada.phone, count: 3 });
    expect(sends.map(({ type }) => type)).toEqual(["text", "text", "audio"]);
  });

  voiceTest("a daemon that is killed while the agent thinks", async () => {
    const { graph, agent, daemon, transcription } = await startVoice("ok");
    let think = () => {};
    const thinking = new Promise<void>((resolve) => (think = resolve));
    agent.before = () => thinking;
    graph.write({ from: ada, content: voiceOf(graph) });
    await agent.turns.waitFor();
    daemon.kill("SIGKILL");
    await daemon.exited;
    agent.before = async () => {};
    think();
    const config = readFileSync(daemon.configFile, "utf8");
    await using next = await startDaemon({ config, home: daemon.home });
    graph.settings.webhooks.url = `${next.url}/whatsapp`;
    await graph.waitForSends({ to: ada.phone, count: 2 });
    await graph.idle();
    expect(graph.records.sends.entries.map(({ type }) => type)).toEqual(["text", "audio"]);
    expect(graph.records.downloads.entries).toHaveLength(1);
    const [first, second] = agent.turns.entries;
    expect(second).toEqual(first!);
    expect(transcription.seen).toHaveLength(2);
  });

  voiceTest("its length: more than max_duration_secs is not sent to the service", async () => {
    const { graph, agent, transcription } = await startVoice("ok", {
      services: ["transcription"],
      transcription: { max_duration_secs: 2 },
    });
    const long = spoken("one two three four five six seven eight nine ten eleven twelve", "opus");
    expect(play(long).seconds).toBeGreaterThan(3);
    graph.write({ from: ada, content: voiceOf(graph, long) });
    graph.write({ from: ada, content: voiceOf(graph) });
    await graph.waitForSends({ to: ada.phone, count: 2 });
    const texts = agent.turns.entries.map(({ messages }) => messages[0]?.text);
    expect(texts).toEqual(["", "[Voice] please call me back"]);
    expect(transcription.seen).toHaveLength(1);
  });

  for (const heard of [false, true]) {
    voiceTest(
      `being a file and no voice note, with transcribe_non_ptt_audio = ${heard}`,
      async () => {
        const { graph, agent, transcription, speech } = await startVoice("ok", {
          transcription: { transcribe_non_ptt_audio: heard },
        });
        const song = graph.file(spoken("a song", "mp3"), "audio/mpeg");
        graph.write({ from: ada, content: content.audio(song) });
        await graph.waitForSends({ to: ada.phone });
        const [message] = agent.turns.entries[0]?.messages ?? [];
        const text = heard ? "[Voice] please call me back" : "";
        expect(message).toMatchObject({ type: "audio", text });
        expect(message?.attachments[0]).toMatchObject({ mime_type: "audio/mpeg" });
        expect(transcription.seen).toHaveLength(heard ? 1 : 0);
        expect(speech.seen).toEqual([]);
      },
    );
  }
});
