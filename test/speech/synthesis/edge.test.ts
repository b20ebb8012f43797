import { afterAll, beforeEach, expect, test } from "bun:test";
import { chmodSync, existsSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { SynthesizerOptions } from "../../../src/speech/synthesis.ts";
import { rejection } from "../../support/rejection.ts";
import { fakeClock } from "../../support/clock.ts";
import { opusFile } from "../opus.ts";
import { key, synthesisBench } from "../synthesis-bench.ts";
import { until } from "../../support/until.ts";

const never = new AbortController().signal;
const bench = synthesisBench();
const { folder, target, synthesizer } = bench;
beforeEach(bench.reset);
afterAll(bench.stop);

const binary = join(folder, "edge-tts");
const install = (script: string) => {
  writeFileSync(binary, `#!/bin/sh\n${script}\n`);
  chmodSync(binary, 0o755);
};
const edge = (config: object = {}, changes: Partial<SynthesizerOptions> = {}) =>
  synthesizer(
    { default_provider: "edge", edge: { binary_path: binary }, ...config },
    { ffmpeg: "/not/needed/ffmpeg", ...changes },
  );
const seen = () => readFile(join(folder, "seen"), "utf8");

beforeEach(() => {
  writeFileSync(join(folder, "sound"), opusFile(2));
  rmSync(join(folder, "seen"), { force: true });
  install(
    `{ echo "$@"; cat; echo; env | cut -d= -f1 | sort; } > '${folder}/seen'; cat '${folder}/sound'`,
  );
});

test("gets the text on its input, and no key, voice of another service or proxy", async () => {
  const needed = { PATH: process.env["PATH"], LANG: "C.UTF-8", SSL_CERT_FILE: "/ca.pem" };
  const env = { ...needed, OPENAI_API_KEY: key, HTTPS_PROXY: "http://p" };
  const note = await edge({}, { env }).synthesize("--list-voices", target, never);
  expect(note).toMatchObject({ durationSecs: 2 });
  const [args, text, ...names] = (await seen()).trim().split("\n");
  expect(args).toBe("--file -");
  expect(text).toBe("--list-voices");
  expect(names).toEqual(expect.arrayContaining(Object.keys(needed)));
  expect(names).not.toContain("OPENAI_API_KEY");
  expect(names).not.toContain("HTTPS_PROXY");
});

test("gets a voice of its own, and the proxy that is meant for it", async () => {
  const services: string[] = [];
  const proxyUrlFor = (service: string, url: URL) => {
    services.push(`${service} ${url.host}`);
    return "http://proxy.example:3128/";
  };
  await edge({ default_voice: "de-DE-KatjaNeural" }, { proxyUrlFor }).synthesize(
    "Hi",
    target,
    never,
  );
  expect((await seen()).split("\n")[0]).toBe(
    "--file - --voice=de-DE-KatjaNeural --proxy=http://proxy.example:3128/",
  );
  expect(services).toEqual(["tts.edge speech.platform.bing.com"]);
});

test.each([
  "socks5://proxy.example:1080",
  "http://ada:secret@proxy.example:3128",
  "http://ada@proxy.example:3128",
  "http://:secret@proxy.example:3128",
])("does not go out by itself where its proxy is %s", async (url) => {
  const error = await rejection(
    edge({}, { proxyUrlFor: () => url }).synthesize("Hi", target, never),
  );
  expect(error).toMatchObject({
    detail: expect.stringContaining("http proxy"),
    retryable: false,
  });
  expect(existsSync(join(folder, "seen"))).toBe(false);
});

test.each([
  ["exit 3", "edge-tts ended with exit code 3"],
  ["kill -KILL $$", "edge-tts ended with SIGKILL"],
  ["true", "edge-tts gave no sound"],
])("that does %p has failed, and may do better", async (script, detail) => {
  install(script);
  expect(await rejection(edge().synthesize("Hi", target, never))).toMatchObject({
    detail,
    retryable: true,
  });
});

test("that cannot be run, or never stops speaking, is not asked again", async () => {
  writeFileSync(binary, "#!/no/such/shell\n");
  const unable = edge();
  expect(await rejection(unable.synthesize("Hi", target, never))).toMatchObject({
    detail: "edge-tts did not start (ENOENT)",
    retryable: false,
  });
  install("exec cat /dev/zero");
  expect(await rejection(edge().synthesize("Hi", target, never))).toMatchObject({
    detail: "edge-tts gave more than 16777216 bytes",
    retryable: false,
  });
});

test("that is given up ends with the reason, and leaves no timer", async () => {
  install(`echo > '${folder}/started'; exec sleep 60`);
  rmSync(join(folder, "started"), { force: true });
  const clock = fakeClock();
  const stop = new AbortController();
  const run = edge({}, { clock }).synthesize("Hi", target, stop.signal);
  run.catch(() => {});
  await until("the program runs", () => existsSync(join(folder, "started")));
  stop.abort(new Error("the daemon is stopping"));
  await expect(run).rejects.toThrow("the daemon is stopping");
  expect(clock.pending).toBe(0);
  rmSync(join(folder, "started"));
});

test("that never ends is ended", async () => {
  install(`echo > '${folder}/started'; exec sleep 60`);
  const clock = fakeClock();
  const run = rejection(edge({}, { clock }).synthesize("Hi", target, never));
  await until("the program runs", () => existsSync(join(folder, "started")));
  await clock.advance(60_000);
  expect(await run).toMatchObject({
    detail: "edge-tts was not done within 60 seconds",
    retryable: true,
  });
});
