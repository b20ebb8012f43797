import { afterEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { content } from "../../src/simulator/graph/content.ts";
import { binary } from "../support/binary.ts";
import { command } from "./support/command.ts";
import { cloudConfig, startCloud } from "./support/cloud.ts";
import { startDaemon } from "./support/daemon.ts";

// Whole processes on a machine that may be busy.
setDefaultTimeout(30_000);

const ada = { phone: "+15550001111", name: "Ada" };
const undo: (() => unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

async function start(whatsapp: Record<string, unknown> = {}) {
  const setup = await startCloud({ whatsapp });
  undo.push(() => setup[Symbol.asyncDispose]());
  const env = { REVKA_HOME: setup.daemon.home };
  return { ...setup, run: (...words: string[]) => command(words, env) };
}

describe("send", () => {
  test("to notification_target, or to whom one says; a closed window is told", async () => {
    const { graph, run } = await start({ notification_target: "+15550009999" });
    const notified = await run("send", "the kettle is on");
    expect(notified).toMatchObject({ code: 0 });
    expect(notified.out).toMatch(/^Sent \(\w+\)\.\n$/);
    expect(notified.err).toContain("131047");
    expect(graph.records.sentTo("+15550009999").map(({ text }) => text)).toEqual([
      "the kettle is on",
    ]);

    graph.write({ from: ada, content: content.text("hello") });
    await graph.waitForSends({ to: ada.phone });
    const open = await run("send", "--to", ada.phone, "--json", "more tea?");
    expect(open).toMatchObject({ code: 0, err: "" });
    expect(JSON.parse(open.out)).toMatchObject({
      deliveries: [{ state: "sent" }],
      window_warning: null,
    });
  });

  test("a delivery that failed is told, listed and sent again", async () => {
    const { graph, daemon, run } = await start();
    const fault = graph.faults.add({ effect: { kind: "error", code: 131026 }, times: 1 });
    const failed = await run("send", "--to", ada.phone, "once more");
    expect(failed.code).toBe(1);
    const id = /revka redeliver (\w+)/.exec(failed.err)?.[1] ?? "";
    expect((await run("status")).out).toContain(id);
    expect((await daemon.status()).failed_deliveries).toMatchObject([{ id, code: "131026" }]);
    graph.faults.remove(fault);
    expect(await run("redeliver", id)).toMatchObject({ code: 0, err: "" });
    expect((await graph.waitForSends({ to: ada.phone }))[0]?.text).toBe("once more");
    expect((await run("redeliver", id)).code).toBe(1);
  });
});

test("what waits for a connection says so", async () => {
  const home = mkdtempSync(join(tmpdir(), "revka-test-"));
  undo.push(() => rmSync(home, { recursive: true, force: true }));
  const whatsapp = { session_path: join(home, "session.db"), ws_url: "ws://127.0.0.1:9" };
  const daemon = await startDaemon({
    home,
    config: { agent: { kind: "echo" }, channels_config: { whatsapp } },
  });
  undo.push(() => daemon[Symbol.asyncDispose]());
  await daemon.waitForLog("WhatsApp cannot be reached");
  const words = ["send", "--to", ada.phone, "--wait", "0", "hello"];
  const sent = await command(words, { REVKA_HOME: home });
  expect(sent.out.replaceAll("\n", " ")).toContain("It waits because: WhatsApp cannot be reached");
});

test("a paused chat is kept, not answered, and answered once it is resumed", async () => {
  const { graph, daemon, run } = await start();
  expect(await run("pause", ada.phone)).toMatchObject({ code: 0, err: "" });
  graph.write({ from: ada, content: content.text("anybody there?") });
  await daemon.waitForLog("message accepted");
  graph.write({ from: { phone: "+15550002222" }, content: content.text("another chat") });
  await graph.waitForSends({ to: "+15550002222" });
  expect(graph.records.sentTo(ada.phone)).toEqual([]);
  expect((await run("status")).out).toContain(`whatsapp ${ada.phone}`);
  expect(await run("resume", ada.phone)).toMatchObject({ code: 0, err: "" });
  expect((await graph.waitForSends({ to: ada.phone }))[0]?.text).toBe("anybody there?");
  expect((await daemon.status()).paused_chats).toEqual([]);
});

test("what changes nothing says so", async () => {
  const { run } = await start();
  const out = async (verb: "pause" | "resume") => (await run(verb, ada.phone)).out;
  expect(await out("resume")).toBe(`${ada.phone} was not paused.\n`);
  expect(await out("pause")).toStartWith(`Paused ${ada.phone}.`);
  expect(await out("pause")).toBe(
    `${ada.phone} was paused already. Go on with: revka resume ${ada.phone}\n`,
  );
  expect((await run("pause", ada.phone, "--channel", "whatsapp")).out).toEndWith(
    `Go on with: revka resume ${ada.phone} --channel whatsapp\n`,
  );
  expect(await out("resume")).toBe(`${ada.phone} is answered again.\n`);
  expect(await out("resume")).toBe(`${ada.phone} was not paused.\n`);
});

test("relink without WhatsApp Web says that there is nothing to link", async () => {
  const { run } = await start();
  expect(await run("relink")).toMatchObject({
    code: 1,
    err: "revka: no WhatsApp Web channel is running, so nothing can be linked: set session_path in [channels_config.whatsapp] and use the whatsapp-web variant\n",
  });
});

describe("the socket", () => {
  test("is its owner's alone", async () => {
    const { daemon } = await start();
    expect(statSync(join(daemon.home, "revka.sock")).mode & 0o777).toBe(0o600);
    expect(statSync(daemon.home).mode & 0o777).toBe(0o700);
  });

  (process.getuid?.() === 0 ? test : test.skip)(
    "refuses another account, and says so",
    async () => {
      const { daemon } = await start();
      // Even where the folder lets others in.
      chmodSync(daemon.home, 0o755);
      // A copy that anybody may run, wherever the checkout and the runtime lie.
      const open = mkdtempSync(join(tmpdir(), "revka-test-"));
      undo.push(() => rmSync(open, { recursive: true, force: true }));
      chmodSync(open, 0o755);
      const executable = join(open, "revka");
      copyFileSync(await binary("default"), executable);
      chmodSync(executable, 0o755);
      const child = spawn(executable, ["status"], {
        cwd: "/",
        uid: 65534,
        gid: 65534,
        env: { PATH: process.env["PATH"], REVKA_HOME: daemon.home },
        stdio: ["ignore", "ignore", "pipe"],
      });
      let err = "";
      child.stderr.on("data", (part) => (err += String(part)));
      const code = await new Promise((resolve) => child.on("close", resolve));
      expect(err).toContain("is not yours");
      expect(code).toBe(1);
    },
  );

  test("that a killed daemon left behind is replaced", async () => {
    const home = mkdtempSync(join(tmpdir(), "revka-test-"));
    undo.push(() => rmSync(home, { recursive: true, force: true }));
    const config = cloudConfig("http://127.0.0.1:9");
    const first = await startDaemon({ home, config });
    undo.push(() => first[Symbol.asyncDispose]());
    first.kill("SIGKILL");
    await first.exited;
    expect((await command(["send", "--to", ada.phone, "x"], { REVKA_HOME: home })).err).toContain(
      "no daemon is running",
    );
    const second = await startDaemon({ home, config });
    undo.push(() => second[Symbol.asyncDispose]());
    expect((await second.status()).daemon.pid).toBe(second.pid);
  });
});
