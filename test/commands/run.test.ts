import { afterEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { catalogue } from "../../src/commands/catalogue.ts";
import { homeOf } from "../../src/commands/running-daemon.ts";
import { revka, temporaryHome, widest } from "../support/command.ts";

const undo: (() => unknown)[] = [];
afterEach(() => {
  for (const step of undo.splice(0)) step();
});
const home = () => ({ REVKA_HOME: temporaryHome(undo), HOME: "/nonexistent" });

describe("help", () => {
  test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%p shows every command", async (words) => {
    const { code, out, err } = await revka(words, home());
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const name of catalogue.keys()) expect(out).toContain(`\n  ${name}`);
    expect(widest(out)).toBeLessThanOrEqual(80);
  });

  test.each([...catalogue.keys()])(
    "%s explains itself, with an example, in 80 columns",
    async (name) => {
      const { code, out, err } = await revka([name, "--help"], home());
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toStartWith(`Usage: revka ${name}`);
      expect(out).toContain("--config FILE");
      expect(out).toContain("Examples:");
      expect(widest(out)).toBeLessThanOrEqual(80);
      expect((await revka(["help", name], home())).out).toBe(out);
    },
  );

  test.each([...catalogue])("%s has the summary of a row", (_name, { summary }) => {
    expect(summary.length).toBeLessThanOrEqual(65);
  });
});

test.each([[["--version"]], [["-V"]]])(
  "%p names version, variant, target and commit",
  async (words) => {
    const { code, out } = await revka(words, home());
    expect(code).toBe(0);
    expect(out).toMatch(/^revka \d+\.\d+\.\d+ \((default|whatsapp-web), \S+, \S+\)\n$/);
  },
);

describe("wrong usage is exit 2, with what was meant", () => {
  test.each([
    [["stauts"], 'unknown command "stauts"; did you mean "status"?'],
    [["frobnicate"], 'unknown command "frobnicate"'],
    [["version"], 'unknown command "version"; did you mean --version?'],
    [["status", "--jsno"], "unknown option --jsno; did you mean --json?"],
    [["--conifg", "x.toml", "status"], "unknown option --conifg; did you mean --config?"],
    [["pause", ""], "a word is empty: revka pause CHAT"],
    [["--versoin"], "unknown option --versoin; did you mean --version?"],
    [["status", "-x"], "unknown option -x"],
    [["send", "--to", "+15551234567", "-5 degrees"], "a text that begins with - goes after --"],
    [["send", "-still - on"], "a text that begins with - goes after --"],
    [["send", "- milk"], "a text that begins with - goes after --"],
    [["send", "-7"], "a text that begins with - goes after --"],
    [["send", "--- to do ---"], "a text that begins with - goes after --"],
    [["send", "--too=+15551234567", "x"], "unknown option --too; did you mean --to?"],
    [["status", "--constructor"], "unknown option --constructor"],
    [["status", "--json=yes"], "--json takes no value"],
    [["status", "--config"], "--config needs a value: --config FILE"],
    [["status", "--config="], "--config needs a value"],
    [["status", "--config", "--json"], "--config needs a value"],
    [["status", "extra"], 'unexpected word "extra"'],
    [["send"], "too few words"],
    [["send", "two", "words"], "quote a text that has spaces"],
    [["status", "--log-level", "loud"], '--log-level "loud" is none of trace'],
    [["config", "shema"], 'config knows only "schema"'],
    [["send", "x", "--channel", "sms"], '--channel "sms" is neither'],
    [["send", "x", "--wait", "soon"], '--wait "soon" is not'],
    [["service", "instal"], '"instal" is none of install'],
    [["daemon", "--port", "http"], "--port"],
  ])("%p", async (words, message) => {
    const { code, out, err } = await revka(words, home());
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain(message);
    expect(err).toContain("--help");
  });

  test.each([
    [["frobnicate"], 'unknown command "frobnicate"\nrevka --help lists the commands.'],
    [["--frobnicate"], "unknown option --frobnicate\nrevka --help lists the commands."],
    [["status", "--frobnicate"], "unknown option --frobnicate\nrevka status --help explains"],
    [["--config", "c.toml", "pause"], "CHAT [--channel NAME]\nrevka pause --help explains"],
  ])("%p: where more is said is said too", async (words, message) => {
    expect((await revka(words, home())).err).toContain(message);
  });

  test.each([
    [["--log-level", "debug"], {}],
    [["--log-level=TRACE"], {}],
    [[], { REVKA_LOG: "Info" }],
    [[], { REVKA_LOG: "" }],
  ])("a level that exists is no wrong usage: %p %p", async (words, env) => {
    expect((await revka(["config", "schema", ...words], { ...home(), ...env })).code).toBe(0);
  });

  test("REVKA_LOG too", async () => {
    const { code, err } = await revka(["status"], { ...home(), REVKA_LOG: "loud" });
    expect(code).toBe(2);
    expect(err).toContain('REVKA_LOG "loud"');
  });
});

describe("global options", () => {
  test("may stand before the command", async () => {
    const { code, err } = await revka(["--config", "/nowhere/c.toml", "status"], home());
    expect(code).toBe(78);
    expect(err).toBe(
      "/nowhere/c.toml: no such file; `revka init --config /nowhere/c.toml` writes one\n",
    );
  });

  test("so may its own flags, which swallow no word", async () => {
    const { code, out } = await revka(["--json", "status"], home());
    expect(code).toBe(78);
    expect(JSON.parse(out)).toEqual({ error: expect.stringContaining("revka init") });
  });

  test("an option-like text is sent after --", async () => {
    const { err } = await revka(["send", "--to", "+15550001111", "--", "--json"], home());
    expect(err).toContain("no daemon is running");
  });
});

describe("an empty home says what to do", () => {
  test.each([["status"], ["doctor"], ["daemon"]])("%s", async (name) => {
    const env = home();
    const { code, out, err } = await revka([name], env);
    expect({ code, out }).toEqual({ code: 78, out: "" });
    expect(err).toContain(`${env.REVKA_HOME}/config.toml`);
    expect(err).toContain("revka init");
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test.each([
    [["pause", "+15550001111"]],
    [["resume", "+15550001111"]],
    [["redeliver", "x"]],
    [["relink"]],
  ])("%p", async (words) => {
    const { code, err } = await revka(words, home());
    expect(code).toBe(1);
    expect(err).toContain("no daemon is running");
    expect(err).toContain("revka daemon");
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("what goes wrong is a JSON document too, where one was asked for", () => {
  test.each([
    [["status", "--json"], 78, "revka init"],
    [["send", "--to", "+15550001111", "tea", "--json"], 1, "no daemon is running"],
    [["send", "--to", "nobody", "tea", "--json"], 2, "nobody is neither a number"],
  ])("%p", async (words, code, message) => {
    const ran = await revka(words, home());
    expect(ran.code).toBe(code);
    expect(JSON.parse(ran.out)).toEqual({ error: expect.stringContaining(message) });
    expect(ran.err).toContain(message);
  });

  test("all that is wrong with a config", async () => {
    const env = home();
    writeFileSync(`${env.REVKA_HOME}/config.toml`, '[agent]\nkind = 5\n[gateway]\nport = "x"\n');
    const { code, out, err } = await revka(["status", "--json"], env);
    expect(code).toBe(78);
    expect(JSON.parse(out)).toEqual({ error: err.trimEnd() });
    expect(err.trimEnd().split("\n")).toHaveLength(2);
  });
});

test("a config that cannot be used is told with all that is odd about it", async () => {
  const env = home();
  writeFileSync(`${env.REVKA_HOME}/config.toml`, "[agent]\nkind = 5\nkid = 1\n");
  const { code, err } = await revka(["status"], env);
  expect(code).toBe(78);
  const lines = err.trimEnd().split("\n");
  expect(lines).toEqual([expect.stringContaining("kid"), expect.stringContaining("agent.kind")]);
  expect(lines[0]).toStartWith("warning: ");
});

test("an account that the system does not know needs a home of its own", () => {
  const unknown = () => {
    throw new Error("ENOENT: no such file or directory, uv_os_homedir");
  };
  expect(() => homeOf({}, unknown)).toThrow("set HOME or REVKA_HOME");
  expect(homeOf({ HOME: "/home/ada" }, unknown)).toBe("/home/ada");
  expect(homeOf({ REVKA_HOME: "/srv/revka" }, unknown)).toBe("/");
});

describe("what nobody foresaw", () => {
  const withBroken = async (
    words: string[],
    env: Record<string, string> = {},
    reason: unknown = new Error("boom"),
  ) => {
    const entry = catalogue.get("licenses");
    if (!entry) throw new Error("no entry");
    const { load } = entry;
    entry.load = () => Promise.reject(reason);
    undo.push(() => (entry.load = load));
    return revka(words, { ...home(), ...env });
  };

  test("is one plain line and exit 1", async () => {
    const { code, err } = await withBroken(["licenses"]);
    expect(code).toBe(1);
    expect(err).toStartWith("revka: boom\n");
    expect(err).not.toContain("run.test.ts");
  });

  test("shows no password, in its words or where it happened", async () => {
    const error = new Error("no https://ada:s3cret@proxy.example/?token=s3cret");
    const { err } = await withBroken(["licenses", "--log-level", "debug"], {}, error);
    expect(err).toStartWith("revka: no https://");
    expect(err).toContain("run.test.ts");
    expect(err).not.toContain("s3cret");
  });

  test("moves no cursor: what a server said stays text, and lines stay lines", async () => {
    const { err } = await withBroken(["licenses"], {}, new Error("it said \u001b[2J\nand more"));
    expect(err).toStartWith("revka: it said \\u001b[2J\nand more\n");
  });

  test.each([
    ["just a word", "revka: just a word\n"],
    [new Error(""), "revka: failed for a reason it did not give\n"],
  ])("%p has words too", async (reason, words) => {
    expect((await withBroken(["licenses"], {}, reason)).err).toStartWith(words);
  });

  test.each([
    [["licenses", "--log-level", "debug"], {}],
    [["licenses", "--log-level=trace"], {}],
    [["licenses"], { REVKA_LOG: "debug" }],
  ])("%p %p shows where", async (words, env) => {
    const { err } = await withBroken(words, env);
    expect(err).toContain("run.test.ts");
  });
});

test("config schema is one JSON document", async () => {
  const { code, out } = await revka(["config", "schema"], home());
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({ type: "object" });
});

test("licenses names Revka's own and each package's", async () => {
  const { code, out } = await revka(["licenses"], home());
  expect(code).toBe(0);
  expect(out).toContain("MIT License");
  expect(out).toMatch(/ {2}valibot \d\S*: MIT/);
  const json: unknown = JSON.parse((await revka(["licenses", "--json"], home())).out);
  expect(json).toMatchObject({ own: expect.stringContaining("MIT License") });
});
