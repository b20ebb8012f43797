import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { alive } from "../support/alive.ts";
import { temporaryFolder } from "../support/store.ts";
import { atTerminal, type AtTerminal } from "./support/terminal.ts";
import { until } from "../support/until.ts";

let folder: ReturnType<typeof temporaryFolder>;
beforeEach(() => (folder = temporaryFolder()));
afterEach(() => folder.remove());

const prompt = "you   >";

/** The demo at a terminal, once it asks for the first line. */
async function demo(): Promise<AtTerminal> {
  const temporary = join(folder.path, "tmp");
  mkdirSync(temporary);
  const terminal = atTerminal(["demo"], { HOME: folder.path, TMPDIR: temporary });
  await terminal.until((lines) => lines.at(-1) === prompt);
  return terminal;
}

/** Resolves once the reply is there and the prompt stands below it. */
const replied = (terminal: AtTerminal, reply: string) =>
  terminal.until((lines) => lines.at(-2) === `revka > ${reply}` && lines.at(-1) === prompt);

const left = () => readdirSync(join(folder.path, "tmp"));

/** What is seen below the greeting, however long anything took. */
function talk({ screen }: AtTerminal): string[] {
  const { lines } = screen;
  const begin = lines.findIndex((line) => line.startsWith(prompt));
  return lines.slice(begin).map((line) => line.replace(/\d+ ms$/, "N ms"));
}

const daemonOf = ({ screen }: AtTerminal) =>
  Number(/\(process (\d+)\)/.exec(screen.lines[0] ?? "")?.[1]);

/** Resolves once the process is gone: nobody tells of another's child. */
async function gone(pid: number): Promise<void> {
  await until(`process ${pid} is gone`, () => !alive(pid), 4_000);
}

const note = "        read, typing, N ms";

describe("revka demo at a terminal", () => {
  test("shows a line, its reply below it, and the prompt again", async () => {
    await using terminal = await demo();
    terminal.type("hello\r");
    await replied(terminal, "hello");
    expect(talk(terminal)).toEqual([`${prompt} hello`, note, "revka > hello", prompt]);
  });

  test("what is typed while a reply comes in stands whole behind the next prompt", async () => {
    await using terminal = await demo();
    terminal.type("hello\rtw");
    await terminal.until((lines) => lines.at(-1) === `${prompt} tw`);
    terminal.type("o\r");
    await replied(terminal, "two");
    const first = [`${prompt} hello`, note, "revka > hello"];
    expect(talk(terminal)).toEqual([...first, `${prompt} two`, note, "revka > two", prompt]);
  });

  test("keys that fall one by one into replies are answered as they were typed", async () => {
    await using terminal = await demo();
    const words = Array.from({ length: 20 }, (_, n) => `message number ${n}`);
    for (const key of words.map((word) => `${word}\r`).join("")) {
      terminal.type(key);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await replied(terminal, words.at(-1) ?? "");
    const expected = words.flatMap((word) => [`${prompt} ${word}`, note, `revka > ${word}`]);
    expect(talk(terminal)).toEqual([...expected, prompt]);
  });

  test("lines that are pasted at once are shown and answered in turn", async () => {
    await using terminal = await demo();
    terminal.type("one\r\r  \rtwo\rthree");
    await terminal.until((lines) => lines.at(-1) === `${prompt} three`);
    const answered = talk(terminal).filter((line) => line !== prompt);
    expect(answered).toEqual([
      ...[`${prompt} one`, note, "revka > one"],
      ...[`${prompt} two`, note, "revka > two"],
      `${prompt} three`,
    ]);
  });

  test("a line of several rows, typed into a reply, leaves the reply as it is", async () => {
    await using terminal = await demo();
    const long = "word ".repeat(40).trim();
    const rows = (text: string) =>
      (`${prompt} ${text}`.match(/.{1,80}/g) ?? []).map((row) => row.trimEnd());
    const first = [`${prompt} hello`, note, "revka > hello"];
    terminal.type(`hello\r${long}`);
    await terminal.until((lines) => lines.at(-1) === rows(long).at(-1));
    expect(talk(terminal)).toEqual([...first, ...rows(long)]);
    // Ctrl-A: all of it is drawn anew behind what is put before it.
    const longer = `A long ${long}`;
    terminal.type("\u0001A long ");
    await terminal.until((lines) => lines.at(-1) === rows(longer).at(-1));
    expect(talk(terminal)).toEqual([...first, ...rows(longer)]);
  });
});

describe("the end of revka demo at a terminal", () => {
  /** Ends by itself, quietly: what is seen from the first prompt on, and nothing is left behind. */
  async function ended(terminal: AtTerminal): Promise<string[]> {
    const daemon = daemonOf(terminal);
    expect(await terminal.exited).toBe(0);
    // Where there was no time to wait for its end, it was killed.
    await gone(daemon);
    expect(left()).toEqual([]);
    return talk(terminal);
  }

  const one = "1 webhook, 1 message, 1 answer: nothing lost, nothing answered twice.";

  test.each([
    ["Ctrl-D", "\u0004"],
    ["Ctrl-C", "\u0003"],
  ])("by %s at the prompt says what went to and fro", async (_, key) => {
    await using terminal = await demo();
    terminal.type("hello\r");
    await replied(terminal, "hello");
    terminal.type(key);
    const said = [`${prompt} hello`, note, "revka > hello", prompt];
    expect(await ended(terminal)).toEqual([...said, "", one]);
  });

  test("with nothing said has nothing to count", async () => {
    await using terminal = await demo();
    terminal.type("\u0004");
    expect(await ended(terminal)).toEqual([prompt]);
  });

  test("by Ctrl-D after a line comes when that is answered", async () => {
    await using terminal = await demo();
    terminal.type("hello\r\u0004");
    const said = [`${prompt} hello`, note, "revka > hello"];
    expect(await ended(terminal)).toEqual([...said, "", one]);
  });

  test("by Ctrl-C while a reply is awaited comes at once", async () => {
    await using terminal = await demo();
    terminal.type("hello\r\u0003");
    expect(await ended(terminal)).toEqual([`${prompt} hello`]);
  });

  test("stays quiet however often Ctrl-C is pressed", async () => {
    await using terminal = await demo();
    terminal.type("hello\r\u0003\u0003");
    let running = true;
    void terminal.exited.then(() => (running = false));
    while (running) {
      terminal.type("\u0003");
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    // What the terminal says by itself of keys that nobody reads any more.
    expect((await ended(terminal)).join("").replaceAll("^C", "")).toBe(`${prompt} hello`);
  });

  test.each<[string, string, (terminal: AtTerminal) => void]>([
    ["SIGTERM at the prompt", "", (terminal) => terminal.kill("SIGTERM")],
    ["SIGHUP at the prompt", "", (terminal) => terminal.kill("SIGHUP")],
    ["a window that is closed", "", (terminal) => terminal.hangUp()],
    ["a window that is closed in a line", "hello", (terminal) => terminal.hangUp()],
    ["a window that is closed upon a line", "hello\r", (terminal) => terminal.hangUp()],
    [
      "a window that is closed upon several",
      "hello\ryou\rthere\r",
      (terminal) => terminal.hangUp(),
    ],
  ])("by %s takes everything along", async (_, keys, end) => {
    await using terminal = await demo();
    if (keys !== "") {
      terminal.type(keys);
      await terminal.until((lines) => lines.at(-1) === `${prompt} hello`);
    }
    end(terminal);
    await ended(terminal);
  });

  test("by SIGKILL takes the daemon along", async () => {
    await using terminal = await demo();
    terminal.kill("SIGKILL");
    await terminal.exited;
    await gone(daemonOf(terminal));
  });
});
