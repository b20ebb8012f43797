import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentProbes } from "../../../src/commands/doctor/agent-probes.ts";
import { ok, type Probe } from "../../../src/commands/doctor/probe.ts";
import { watiProbes } from "../../../src/commands/doctor/wati-probes.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { fakeClock } from "../../support/clock.ts";
import { examined } from "../../support/examined.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka-doctor-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What these probes find of a config, each as one line. PATH is the test's own folder. */
async function found(
  probes: Probe[],
  text: string,
  fetch: Fetch = async () => new Response(),
  proxy: string | null = null,
): Promise<string[]> {
  const agent = text.startsWith("[agent]") ? "" : '[agent]\nkind = "echo"\n';
  const findings = await examine(probes, agent + text, fetch, proxy);
  return findings.map(({ level, name, message }) => `${level} ${name}: ${message}`);
}

function examine(probes: Probe[], text: string, fetch: Fetch, proxy: string | null = null) {
  const path = join(folder, "config.toml");
  writeFileSync(path, text, { mode: 0o600 });
  const loaded = loadConfig({ path, env: {}, home: folder });
  const network = { fetchFor: () => fetch, proxyUrlFor: () => proxy, close: async () => {} };
  return examined(probes, loaded, { env: { PATH: folder }, network });
}

describe("WATI", () => {
  const wati =
    '[channels_config.wati]\napi_token = "watitoken"\napi_url = "http://127.0.0.1:9"\nwebhook_secret = "hush-hush"\n';
  const refused = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  test.each<[string, Fetch, string]>([
    [
      "takes the token",
      async () => Response.json({ result: true, contacts: [], contact_list: [] }),
      "ok token: WATI takes the API token",
    ],
    ["refuses it", async () => Response.json({}, { status: 401 }), "error token: WATI answers 401"],
    [
      "is not there",
      () => Promise.reject(refused),
      "error token: WATI cannot be reached at 127.0.0.1:9 (ECONNREFUSED)",
    ],
  ])("%s", async (_, fetch, expected) => {
    expect(await found(watiProbes, wati, fetch)).toEqual([expected, "ok webhook secret: is set"]);
  });

  test("is asked nothing where it is not configured", async () => {
    let asked = 0;
    const fetch = async () => new Response(String(asked++));
    expect(await found(watiProbes, "", fetch)).toEqual([]);
    expect(asked).toBe(0);
  });
});

describe("the agent", () => {
  test("that cannot run is an error in its own words", async () => {
    const [line] = await found(agentProbes, '[agent]\nkind = "command"\ncommand = ["no-such"]\n');
    expect(line).toMatch(/^error agent: .*no-such.* does not exist or is not on PATH/);
  });

  const model = 'default_provider = "openai"\ndefault_model = "m"\n';
  test.each([
    ["no program", '[agent]\nkind = "command"\ncommand = ["no-such"]\n', "mend [agent] command"],
    [
      "no folder to run in",
      '[agent]\nkind = "command"\ncommand = ["sh"]\ncwd = "/no/such"\n',
      "mend [agent] command or cwd",
    ],
    [
      "nobody listens",
      '[agent]\nkind = "webhook"\nurl = "http://127.0.0.1:1/"\n',
      "see that it runs",
    ],
    ["no network", `${model}api_key = "kkkk"\n`, "the network and the proxy are up"],
    ["no key", model, "the provider's key"],
  ])("that fails is told with what to do: %s", async (_, text, advice) => {
    const unreachable = () => Promise.reject(Object.assign(new Error(), { code: "ECONNREFUSED" }));
    const [finding] = await examine(agentProbes, text, unreachable);
    expect(finding).toMatchObject({ level: "error", next: expect.stringContaining(advice) });
  });

  test("that can is named", async () => {
    writeFileSync(join(folder, "agent"), "#!/bin/sh\n", { mode: 0o755 });
    expect(await found(agentProbes, '[agent]\nkind = "command"\ncommand = ["agent"]\n')).toEqual([
      `ok agent: the command is ${folder}/agent; it was looked for, not run`,
    ]);
  });

  test("whose interpreter is there and whose script is not is an error", async () => {
    const script = join(folder, "agent.sh");
    const sh = `[agent]\nkind = "command"\ncommand = ["/bin/sh", "-eu", "${script}", "/data/not-yet"]\n`;
    expect(await found(agentProbes, sh)).toEqual([
      `error agent: ${script}, which [agent] command hands to /bin/sh, does not exist`,
    ]);
    writeFileSync(script, "exit 0\n");
    expect(await found(agentProbes, sh)).toEqual([
      `ok agent: the command is /bin/sh with ${script}; both were looked for, not run`,
    ]);
  });
});

describe("speech", () => {
  const ffmpeg = () => writeFileSync(join(folder, "ffmpeg"), "#!/bin/sh\n", { mode: 0o755 });
  const piper = (url: string) =>
    `[tts]\nenabled = true\ndefault_provider = "piper"\n[tts.piper]\napi_url = "${url}"\n`;
  const whisper = (url: string) =>
    `[transcription]\nenabled = true\ndefault_provider = "local_whisper"\n[transcription.local_whisper]\nurl = "${url}"\n`;
  /** Nobody listens there once it is closed. */
  const listening = async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const close = () => new Promise<unknown>((resolve) => server.close(resolve));
    return { host: `127.0.0.1:${address.port}`, close };
  };
  const speech = async (text: string, proxy: string | null = null) =>
    (await found(agentProbes, text, undefined, proxy)).slice(1);

  test("that hears", async () => {
    expect(await speech('[transcription]\nenabled = true\napi_key = "kkkk"\n')).toEqual([
      "ok transcription: groq is set up",
    ]);
    expect(await speech("[transcription]\nenabled = false\n")).toEqual([]);
  });

  test("that speaks, with what turns its voice into a note", async () => {
    const openai = '[tts]\nenabled = true\n[tts.openai]\napi_key = "kkkk"\n';
    expect(await speech(openai)).toEqual(["ok voice notes: openai is set up"]);
    const server = await listening();
    const own = piper(`http://${server.host}/v1/audio/speech`);
    expect(await speech(own)).toEqual([expect.stringContaining("warning voice notes: a Piper")]);
    ffmpeg();
    expect(await speech(openai)).toEqual([
      `ok voice notes: openai is set up, ffmpeg is ${folder}/ffmpeg`,
    ]);
    expect(await speech(own)).toEqual([
      `ok voice notes: piper is set up, ffmpeg is ${folder}/ffmpeg`,
    ]);
    await server.close();
  });

  test("on a server of one's own that does not run", async () => {
    ffmpeg();
    const server = await listening();
    const both = `${whisper(`http://${server.host}/transcribe`)}${piper(`http://${server.host}/say`)}`;
    expect(await speech(both)).toEqual([
      "ok transcription: local_whisper is set up",
      expect.stringContaining("ok voice notes: piper is set up"),
    ]);
    await server.close();
    expect(await speech(both)).toEqual([
      `warning transcription: local_whisper takes no connection at ${server.host}`,
      `warning voice notes: piper takes no connection at ${server.host}`,
    ]);
    expect(await speech(both, "http://127.0.0.1:9")).toEqual([
      "ok transcription: local_whisper is set up",
      expect.stringContaining("ok voice notes: piper is set up"),
    ]);
  });
});

test("what has been examined leaves no timer that would keep the command from its end", async () => {
  const clock = fakeClock();
  const cleared = spyOn(globalThis, "clearInterval");
  const path = join(folder, "config.toml");
  writeFileSync(path, '[agent]\nkind = "echo"\n');
  const probe: Probe = { group: "agent", name: "one", run: () => [ok("one", "fine")] };
  await examined([probe], loadConfig({ path, env: {}, home: folder }), { clock });
  expect(clock.pending).toBe(0);
  expect(cleared).toHaveBeenCalledTimes(1);
  cleared.mockRestore();
});
