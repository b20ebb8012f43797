import { afterEach, beforeEach, expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Subprocess } from "bun";
import { BareClient } from "./bare-client.ts";
import { trustRoot } from "./certificate.ts";
import { silenceLibsignal } from "./quiet.ts";

silenceLibsignal();

type Process = Subprocess<"ignore", "pipe", "inherit">;
type Json = Record<string, unknown>;

const certificateFile = join(tmpdir(), `revka-double-${process.pid}.pem`);
let double: Process;
let place: { url: string; root: string; control: string };

beforeEach(async () => {
  double = start(["main.ts", "--certificate-file", certificateFile]);
  place = JSON.parse(await lines(double)()) as typeof place;
});

afterEach(() => {
  double.kill();
  rmSync(certificateFile, { force: true });
});

function start(args: string[], env: Record<string, string> = {}): Process {
  return Bun.spawn([process.execPath, ...args], {
    cwd: import.meta.dir,
    env: { ...process.env, ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
}

/** Reads a process line by line. */
function lines(child: Process): () => Promise<string> {
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  return async () => {
    while (!rest.includes("\n")) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the process has ended");
      rest += value;
    }
    const [line = "", ...more] = rest.split("\n");
    rest = more.join("\n");
    return line;
  };
}

async function call(method: string, path: string, body?: Json): Promise<unknown> {
  const response = await fetch(`${place.control}${path}`, {
    method,
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  return response.json();
}

test("everything is driven from outside", async () => {
  trustRoot(Buffer.from(place.root, "hex"));
  await call("POST", "/phones", { number: "15550001000", name: "Owner" });
  await call("POST", "/phones", { number: "491700000001", name: "Ada" });
  const client = new BareClient(place);
  const sock = client.connect();
  await client.nextQr();
  await sock.requestPairingCode("15550001000", "REVKA123");
  await call("POST", "/pair-by-code", { phone: "15550001000", code: "REVKA123" });
  await client.closed();
  await client.login();

  await call("POST", "/phones/491700000001/send", { to: "15550001000", content: "hello" });
  const { message } = await client.received("hello");
  await client.sendText(message.key.remoteJid ?? "", "hello yourself");
  const inbox = await call("GET", "/phones/491700000001/inbox?count=1");
  expect(inbox).toMatchObject([{ text: "hello yourself", kind: "text", from: "15550001000" }]);

  const { jid } = (await call("POST", "/groups", {
    subject: "Team",
    members: ["491700000001", "15550001000"],
  })) as { jid: string };
  const voice = Buffer.from("not really Opus").toString("base64");
  await call("POST", "/phones/491700000001/send", { to: jid, content: { voice } });
  await client.upserts.waitFor(({ message }) => Boolean(message.message?.audioMessage?.ptt));

  await call("POST", "/faults", { at: "login", do: "refuse", code: 503 });
  client.connect();
  expect(await client.closed()).toBe(503);
  expect(await call("GET", "/faults")).toMatchObject({ waiting: [], struck: [{ at: "login" }] });
  expect(await call("GET", "/state")).toMatchObject({ links: [{ by: "code" }], errors: [] });
  expect(await call("GET", "/phones/000000")).toEqual({ error: "Error: there is no phone 000000" });
  expect(await call("POST", "/faults", { at: 1 })).toHaveProperty("error");
  expect(readFileSync(certificateFile, "utf8")).toStartWith("-----BEGIN CERTIFICATE-----");
  await client.close();
});

test("a client is killed, the double lives on", async () => {
  await call("POST", "/phones", { number: "15550001000" });
  await call("POST", "/phones", { number: "491700000001" });
  const client = start(["--preload", "./trust-double.ts", "client-process.ts", place.url], {
    REVKA_TEST_WA_ROOT: place.root,
  });
  const next = lines(client);
  const { qr } = JSON.parse(await next()) as { qr: string };
  await call("POST", "/pair-by-qr", { phone: "15550001000", qr });
  expect(JSON.parse(await next())).toEqual({ open: "15550001000:1@s.whatsapp.net" });
  client.kill("SIGKILL");
  await client.exited;
  await call("POST", "/phones/491700000001/send", { to: "15550001000", content: "are you there?" });
  const state = (await call("GET", "/phones/15550001000")) as { companions: Json[] };
  expect(state.companions[0]?.online).toBe(false);
  expect(state.companions[0]?.waiting).not.toEqual([]);
});
