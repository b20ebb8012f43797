import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "bun:test";
import { freePort } from "../../scripts/free-port.ts";
import type { Agent, AgentReply } from "../../src/agent/agent.ts";
import { createCommandAgent } from "../../src/agent/command.ts";
import { encodeTurn, parseAnswer } from "../../src/agent/protocol.ts";
import { createWebhookAgent } from "../../src/agent/webhook.ts";
import { findExecutable } from "../../src/runtime/executable.ts";
import { systemClock } from "../../src/runtime/clock.ts";
import { silentLog } from "../../src/telemetry/log.ts";
import { message, turn } from "../support/turn.ts";
import { codeBlocks } from "./documents.ts";

const folder = mkdtempSync(join(tmpdir(), "revka-docs-"));
const undo: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
afterAll(() => undo.toReversed().forEach((step) => step()));

const blocks = codeBlocks("docs/agents.md");

function block(name: string): string {
  const found = blocks.find((candidate) => candidate.name === name);
  if (!found) throw new Error(`docs/agents.md has no ${name}`);
  return found.text;
}

function json(index: number): string {
  return blocks.filter(({ language }) => language === "json")[index]?.text ?? "";
}

function say(agent: Agent, text: string): Promise<AgentReply> {
  return agent.run(turn({ messages: [message({ text })] }), AbortSignal.timeout(5000));
}

test("the webhook agent of the docs answers, and its probe too", async () => {
  const port = await freePort();
  const file = join(folder, "agent.mjs");
  // It says when it listens: the example itself keeps quiet.
  writeFileSync(
    file,
    `${block("agent.mjs").replace("8787", String(port)).replace(/;\s*$/, "")}.on("listening", () => console.log("up"));\n`,
  );
  const child = spawn(findExecutable("node", process.env["PATH"]) ?? process.execPath, [file]);
  undo.push(() => child.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    child.stdout.once("data", () => resolve());
    child.once("exit", (code) => reject(new Error(`the example ended with ${code}`)));
  });
  const agent = createWebhookAgent({
    url: `http://127.0.0.1:${port}/`,
    bearerToken: undefined,
    fetch,
    clock: systemClock,
  });
  expect(await say(agent, "four")).toEqual({
    parts: [{ kind: "text", text: "You wrote 4 letters; we have spoken 0 times before." }],
  });
  expect(await agent.probe(AbortSignal.timeout(5000))).toContain("answers");
});

test.skipIf(!findExecutable("jq", process.env["PATH"]))(
  "the command agent of the docs answers, and keeps silent",
  async () => {
    const file = join(folder, "agent.sh");
    writeFileSync(file, block("agent.sh"));
    const agent = createCommandAgent({
      command: ["/bin/sh", file],
      cwd: undefined,
      env: process.env,
      clock: systemClock,
      log: silentLog,
    });
    expect(await say(agent, "ping")).toEqual({ parts: [{ kind: "text", text: "pong" }] });
    expect(await say(agent, 'a "word"')).toEqual({
      parts: [{ kind: "text", text: 'You said: a "word"' }],
    });
    expect(await say(agent, "")).toEqual({ parts: [] });
  },
);

test("the turn of the docs has the keys of a turn", () => {
  const shown: unknown = JSON.parse(json(0));
  const messages = [
    message({
      attachments: [{ kind: "image", mime_type: null, filename: null, size: 1, path: "/a" }],
    }),
  ];
  const real: unknown = JSON.parse(
    encodeTurn(turn({ messages, history: [{ role: "user", text: "" }] })),
  );
  expect(keysOf(shown)).toEqual(keysOf(real));
});

test("the answers of the docs are answers", () => {
  const answers = [json(1), json(2)].map((text) => parseAnswer(new TextEncoder().encode(text)));
  expect(answers.map(({ parts }) => parts.map(({ kind }) => kind))).toEqual([
    ["text"],
    ["reaction", "text", "media", "media"],
  ]);
});

/** Every key path, list items as one. */
function keysOf(value: unknown, path = ""): string[] {
  if (typeof value !== "object" || value === null) return [path];
  const entries = Array.isArray(value)
    ? value.map((item: unknown) => ["[]", item] as const)
    : Object.entries(value);
  const keys = entries.flatMap(([key, item]) => keysOf(item, `${path}.${key}`));
  return [...new Set(keys)].toSorted();
}
