import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { run } from "../../../src/commands/run.ts";
import { revka, temporaryHome } from "../../support/command.ts";

const undo: (() => unknown)[] = [];
let home: string;
let env: Record<string, string>;
let file: string;
beforeEach(() => {
  home = temporaryHome(undo);
  env = { REVKA_HOME: join(home, "new"), HOME: home };
  file = join(home, "new", "config.toml");
});
afterEach(() => {
  for (const step of undo.splice(0)) step();
});

const echo = ["--agent", "echo"];
const web = ["--channel", "web", ...echo];
const wati = ["--channel", "wati", "--api-token", "watis3cret", ...echo];
const cloud = ["--channel", "cloud", "--phone-number-id", "123456789", "--access-token", "EAAx"];

describe("what is there is left as it is", () => {
  test("a file, before anything is asked", async () => {
    mkdirSync(join(home, "new"));
    writeFileSync(file, "mine");
    const { code, err } = await revka(["init"], env, { input: "web\n", interactive: true });
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: ${file} exists and is not overwritten; edit it, move it away, or write another with --config FILE\n`,
    });
  });

  test("a file that somebody writes while the questions are answered", async () => {
    let err = "";
    const answers = async function* () {
      mkdirSync(join(home, "new"));
      writeFileSync(file, "mine");
      yield "web\n\n\n\necho\n";
    };
    const code = await run(["init"], env, {
      out: () => {},
      err: (text) => (err += text),
      input: Readable.from(answers()),
      interactive: true,
      color: false,
    });
    expect(code).toBe(1);
    expect(err).toContain(`${file} exists and is not overwritten`);
    expect(readFileSync(file, "utf8")).toBe("mine");
  });

  test("a link to nothing, which is not followed", async () => {
    mkdirSync(join(home, "new"));
    symlinkSync(join(home, "elsewhere"), file);
    const { code, err } = await revka(["init", ...web], env);
    expect(code).toBe(1);
    expect(err).toContain(`${file} exists and is not overwritten`);
    expect(existsSync(join(home, "elsewhere"))).toBe(false);
  });

  test.each([
    ["in the place of the folder", ["new"], "/new cannot be written (it is no folder)"],
    ["above it", ["new", "deep"], "/new/deep cannot be written (a part of its path is no folder)"],
  ])("a file %s is named, and not called a config", async (_, place, words) => {
    writeFileSync(join(home, "new"), "notes");
    env["REVKA_HOME"] = join(home, ...place);
    const { code, err } = await revka(["init", ...web], env);
    expect({ code, err }).toEqual({
      code: 1,
      err: `revka: ${home}${words}; choose another place with --config FILE or REVKA_HOME\n`,
    });
    expect(readFileSync(join(home, "new"), "utf8")).toBe("notes");
  });
});

test("the session of the usual home is named as a person would", async () => {
  await revka(["init", ...web], { HOME: home });
  expect(readFileSync(join(home, ".revka", "config.toml"), "utf8")).toContain(
    'session_path = "~/.revka/whatsapp-session.db"',
  );
});

describe("what to do next is told", () => {
  const next = async (...words: string[]) => {
    const { code, out } = await revka(["init", ...words], env);
    expect(code).toBe(0);
    return out.replaceAll("\n", " ");
  };
  const model = ["--agent", "model", "--provider", "ollama", "--model", "m"];
  const url = ["--public-url", "https://bot.example/"];

  test.each<[words: string[], told: string[], untold: string[]]>([
    [web, ["nobody is answered yet", "a QR code to scan"], ["Meta app", "WATI", "system_prompt"]],
    [
      [...web, "--allow", "+15551234567", "--pair-phone", "15551234567"],
      ["a code to enter"],
      ["nobody is answered yet", "QR code"],
    ],
    [
      [...cloud, ...echo],
      ["callback URL to https://YOUR-HOST/whatsapp and", "Set app_secret before"],
      ["WATI", "Linked devices", "system_prompt"],
    ],
    [
      [...cloud, ...model, ...url, "--app-secret", "abcdef"],
      ["callback URL to https://bot.example/whatsapp and", "Give the model its system_prompt"],
      ["Set app_secret before", "YOUR-HOST"],
    ],
    [wati, ["to https://YOUR-HOST/wati?secret=… with"], ["Meta app", "Linked devices"]],
    [[...wati, ...url], ["to https://bot.example/wati?secret=… with"], ["YOUR-HOST"]],
  ])("after %p", async (words, told, untold) => {
    const said = await next(...words);
    for (const part of told) expect(said).toContain(part);
    for (const part of untold) expect(said).not.toContain(part);
  });
});
