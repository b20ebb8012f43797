import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configProbes } from "../../../src/commands/doctor/config-probes.ts";
import type { Level } from "../../../src/commands/doctor/probe.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { buildInfo } from "../../../src/runtime/build-info.ts";
import { examined } from "../../support/examined.ts";

let folder: string;
let home: string;
let file: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "revka doctor-"));
  home = join(folder, "home");
  file = join(folder, "config.toml");
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What is found of this config, each as one line; of one name where it is given. */
async function found(text: string, only?: string, mode = 0o600): Promise<string[]> {
  writeFileSync(file, `${text.startsWith("[agent]") ? "" : '[agent]\nkind = "echo"\n'}${text}`);
  chmodSync(file, mode);
  const env = { REVKA_HOME: home };
  const findings = await examined(configProbes, loadConfig({ path: file, env, home: folder }));
  return findings
    .filter(({ name }) => only === undefined || name === only)
    .map(({ level, name, message, next }) => `${level} ${name}: ${message} -> ${next}`);
}

const cloud = `[channels_config.whatsapp]
phone_number_id = "1"
access_token = "aaaa"
verify_token = "vvvv"
`;
const wati = '[channels_config.wati]\napi_token = "watitoken"\n';

describe("the file", () => {
  test.each<[string, boolean]>([
    ["600", false],
    ["640", true],
    ["604", true],
  ])("with mode %s", async (mode, open) => {
    const warned = await found(wati, "file mode", Number.parseInt(mode, 8));
    expect(warned).toEqual(
      open
        ? [`warning file mode: ${file} holds secrets and others can read it -> chmod 600 '${file}'`]
        : [],
    );
    expect(await found(wati, "file")).toEqual([`ok file: ${file} is valid -> null`]);
  });

  test("and the key of its secrets beside it", async () => {
    const key = join(folder, ".secret_key");
    writeFileSync(key, "00".repeat(32));
    chmodSync(key, 0o644);
    expect(await found(wati, "file mode")).toEqual([
      `warning file mode: ${key} holds secrets and others can read it -> chmod 600 '${key}'`,
    ]);
    chmodSync(key, 0o600);
    expect(await found(wati, "file mode")).toEqual([]);
  });

  test("with a key that is none has it named", async () => {
    const [warned, ...others] = await found(`${wati}allowed_number = ["+15551234567"]\n`, "key");
    expect(warned).toStartWith(`warning key: ${file}:5: channels_config.wati.allowed_number: `);
    expect(others).toEqual([]);
  });
});

describe("the home", () => {
  const of = () => found(wati, "home");

  test("that is to be made", async () => {
    expect(await of()).toEqual([
      `info home: ${home} does not exist yet; the daemon creates it -> null`,
    ]);
  });

  test.each([
    ["700", "ok"],
    ["750", "warning"],
    ["701", "warning"],
  ])("with mode %s is %s", async (mode, level) => {
    mkdirSync(home);
    chmodSync(home, Number.parseInt(mode, 8));
    expect(await of()).toEqual([
      level === "ok"
        ? `ok home: ${home} is yours alone -> null`
        : `warning home: others may look into ${home} -> chmod 700 '${home}'`,
    ]);
  });
});

describe("the channels", () => {
  const session = 'session_path = "/nowhere/session.db"\n';
  const web = `[channels_config.whatsapp]\n${session}`;

  test.each<[string, string, string[]]>([
    ["Cloud", cloud, ["ok whatsapp: runs as cloud -> null"]],
    ["WATI alone", wati, ["ok wati: is configured -> null"]],
    [
      "one of which two are meant",
      cloud + session,
      ["warning whatsapp: channels_config.whatsapp has phone_number_id and session_path"],
    ],
    [
      "one that is neither, beside WATI",
      `[channels_config.whatsapp]\nallowed_numbers = []\n${wati}`,
      [
        "error whatsapp: config-invalid: channels_config.whatsapp has neither",
        "ok wati: is configured -> null",
      ],
    ],
    ["none", "", ["error channels: no channel is configured, so no message can come in"]],
    [
      "Web",
      web,
      [
        buildInfo.variant === "whatsapp-web"
          ? "ok whatsapp: runs as web -> null"
          : "error whatsapp: config-invalid: channels_config.whatsapp selects Web mode",
      ],
    ],
  ])("%s", async (_, text, expected) => {
    const lines = (await found(text)).filter((line) =>
      /^\w+ (whatsapp|wati|channels): /.test(line),
    );
    expect(lines).toEqual(expected.map((start) => expect.stringContaining(start)));
  });
});

describe("who is answered", () => {
  const list = (entries: string) => `allowed_numbers = [${entries}]\n`;
  test.each<[string, Level, string]>([
    ["", "warning", "is empty, so nobody is answered"],
    ['"Ada"', "warning", "has no entry that counts, so nobody is answered"],
    ['"+15551234567"', "ok", "has 1 entry"],
    ['"+15551234567", "+15551234568", "Ada"', "ok", "has 2 entries"],
    ['"*"', "info", "lets everybody in"],
  ])("by [%s]", async (entries, level, words) => {
    for (const [channel, table] of [
      ["whatsapp", cloud],
      ["wati", wati],
    ] as const) {
      const lines = await found(table + list(entries), "allowlist");
      expect(lines).toEqual([
        expect.stringContaining(
          `${level} allowlist: channels_config.${channel}.allowed_numbers ${words}`,
        ),
      ]);
      const named = await found(table + list(entries), "key");
      expect(named.length).toBe(entries.includes("Ada") ? 1 : 0);
    }
  });

  test.each<[string, string[]]>([
    ['"hi"', []],
    ['"hi", "(open"', ["warning entry: channels_config.whatsapp.dm_mention_patterns[1]: "]],
    [
      '"(open"',
      [
        "warning entry: channels_config.whatsapp.dm_mention_patterns[0]: ",
        "error mention gate: channels_config.whatsapp.dm_mention_patterns: every pattern was rej",
      ],
    ],
  ])("through a gate of [%s]", async (patterns, expected) => {
    const lines = await found(`${cloud}dm_mention_patterns = [${patterns}]\n`);
    expect(lines.filter((line) => /^\w+ (entry|mention gate): /.test(line))).toEqual(
      expected.map((start) => expect.stringContaining(start)),
    );
  });

  test("by a channel that does not run is nobody's question", async () => {
    expect(await found("[channels_config.whatsapp]\nallowed_numbers = []\n", "allowlist")).toEqual(
      [],
    );
  });
});
