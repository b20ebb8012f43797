import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { controlServer } from "../../src/control/server.ts";
import { revka } from "../support/command.ts";
import { commandTrial } from "../support/command-trial.ts";

const trial = commandTrial();

/** Each is told in words what lies at the socket's place, and what to do. */
const commands = [["status"], ["status", "--json"], ["pause", "+15550001111"], ["redeliver", "d1"]];
const place = () => join(trial.home, "revka.sock");

async function each(words: string): Promise<void> {
  for (const command of commands) {
    const { code, out, err } = await revka(command, trial.env);
    const expected = `${place()} ${words}`;
    expect({ command, code, err }).toEqual({
      command,
      code: 1,
      err: expect.stringContaining(expected),
    });
    expect(err).not.toContain("unexpected");
    if (command.includes("--json")) expect(JSON.parse(out).error).toContain(expected);
    else expect(out).toBe("");
  }
}

test("a file, and a folder", async () => {
  writeFileSync(place(), "");
  await each("is no socket: move it away");
  rmSync(place());
  mkdirSync(place());
  await each("is no socket");
  await expect(controlServer(place(), () => Promise.reject(new Error("?")))).rejects.toThrow(
    `${place()} is no socket`,
  );
  expect(existsSync(place())).toBe(true);
});

test.each([
  ["HTML", 200, "<html>"],
  ["nothing", 200, ""],
  ["HTML of an error", 502, "<html>"],
  ["null", 200, "null"],
  ["a text", 200, '"fine"'],
])("a program that answers %s", async (_, status, body) => {
  const server = createHttpServer((_, outgoing) => outgoing.writeHead(status).end(body));
  trial.undo.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(place(), resolve));
  await each("is no daemon of this Revka: restart the daemon after an update, or stop");
});

test("a program that speaks no HTTP", async () => {
  const server = createServer((socket) => socket.end("SSH-2.0-OpenSSH_9\r\n"));
  trial.undo.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(place(), resolve));
  await each("is no daemon of this Revka");
});

test.each([[["status"]], [["status", "--json"]]])(
  "a daemon of another version, whose report lacks what %p shows",
  async (command) => {
    const server = createHttpServer((_, outgoing) => outgoing.end("{}"));
    trial.undo.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(place(), resolve));
    const { code, err } = await revka(command, trial.env);
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining("after an update") });
  },
);

test("a daemon that hangs up", async () => {
  const server = createServer((socket) => socket.destroy());
  trial.undo.push(() => server.close());
  await new Promise<void>((resolve) => server.listen(place(), resolve));
  await each("hung up without an answer: see its log, and whether it still runs");
});
