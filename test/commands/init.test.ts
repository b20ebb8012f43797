import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CURRENT_GRAPH_VERSION } from "../../src/config/graph-versions.ts";
import { loadConfig } from "../../src/config/load.ts";
import { revka, temporaryHome, widest } from "../support/command.ts";

const undo: (() => unknown)[] = [];
let env: Record<string, string>;
let file: string;
beforeEach(() => {
  const home = temporaryHome(undo);
  env = { REVKA_HOME: join(home, "new"), HOME: home };
  file = join(home, "new", "config.toml");
});
afterEach(() => {
  for (const step of undo.splice(0)) step();
});
const loaded = () => loadConfig({ path: file, env, home: env["HOME"] ?? "" });

const cloud = [
  ...["--channel", "cloud", "--phone-number-id", "123456789012345"],
  ...["--access-token", "EAAs3cret", "--app-secret", "apps3cret"],
];
const web = ["--channel", "web"];
const wati = ["--channel", "wati", "--api-token", "watis3cret"];
const echo = ["--agent", "echo"];
const agents: [string, string[]][] = [
  ["echo", echo],
  [
    "webhook",
    ["--agent", "webhook", "--agent-url", "https://a.example/x", "--agent-token", "beas3cret"],
  ],
  ["command", ["--agent", "command", "--agent-command", "/usr/bin/agent --fast"]],
  [
    "model",
    ["--agent", "model", "--provider", "openrouter", "--model", 'a/b"c', "--api-key", "keys3cret"],
  ],
];

describe("every pair of channel and agent gives a file that loads", () => {
  for (const [channel, flags] of [
    ["cloud", cloud],
    ["web", web],
    ["wati", wati],
  ] as const) {
    test.each(agents)(`${channel} with %s`, async (kind, agent) => {
      const { code, out, err } = await revka(
        ["init", ...flags, ...agent, "--allow", "+15551234567, +5511999998888"],
        env,
      );
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("Next: revka doctor, then revka daemon");
      expect(out).not.toContain("s3cret");
      const { config, warnings } = loaded();
      expect(warnings).toEqual([]);
      expect(config.agent?.kind).toBe(kind === "echo" ? "echo" : (config.agent?.kind ?? "model"));
      const table = config.channels_config[channel === "wati" ? "wati" : "whatsapp"];
      expect(table?.allowed_numbers).toEqual(["+15551234567", "+5511999998888"]);
    });
  }
});

test("the file is for its owner alone, current, and has tokens of its own", async () => {
  await revka(["init", ...cloud, ...echo], env);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(env["REVKA_HOME"] ?? "").mode & 0o777).toBe(0o700);
  const { whatsapp } = loaded().config.channels_config;
  expect(whatsapp?.graph_api_version).toBe(CURRENT_GRAPH_VERSION);
  expect(whatsapp?.verify_token).toMatch(/^[\w-]{32}$/);
  expect(whatsapp?.allowed_numbers).toEqual([]);
});

test("an existing file is never overwritten", async () => {
  await revka(["init", ...web, ...echo], env);
  writeFileSync(file, "mine");
  const { code, err } = await revka(["init", ...web, ...echo], env);
  expect(code).toBe(1);
  expect(err).toContain(file);
  expect(err).toContain("--config FILE");
  expect(readFileSync(file, "utf8")).toBe("mine");
});

describe("without a terminal", () => {
  test.each([
    [[], ["--channel", "--agent"]],
    [
      ["--channel", "cloud"],
      ["--phone-number-id", "--access-token", "--agent"],
    ],
    [
      [...web, "--agent", "model"],
      ["--provider", "--model"],
    ],
    [[...wati, "--agent", "webhook"], ["--agent-url"]],
  ])("%p says which flags are missing", async (words, missing) => {
    const { code, err } = await revka(["init", ...words], env);
    expect(code).toBe(2);
    expect(err).toContain(`add ${missing.join(", ")}\n`);
    expect(existsSync(file)).toBe(false);
  });
});

test.each([
  [["--phone-number-id", "+1555"], "--phone-number-id: the phone number ID is 5 to 20 digits"],
  [["--channel", "sms"], "--channel: one of: cloud, web, wati"],
  [["--agent", "oracle"], "--agent: one of"],
  [["--agent", "command", "--agent-command", "sh 'x"], "--agent-command: a quote is left open"],
  [["--agent", "model", "--provider", "nobody", "--model", "x"], "--provider: one of: openrouter"],
  [["--pair-phone", "15551234567"], "--pair-phone: of no use with this channel and this agent"],
  [["--allow", "everybody"], '--allow: "everybody" is neither a number'],
  [["--public-url", "http://a.example"], "--public-url: an address such as https://"],
  [["--access-token", "@/nonexistent"], "--access-token: the file /nonexistent cannot be read"],
])("%p is refused in words", async (words, message) => {
  const kept = [...cloud, ...echo];
  for (const flag of words.filter((word) => word.startsWith("--"))) {
    const at = kept.indexOf(flag);
    if (at >= 0) kept.splice(at, 2);
  }
  const { code, err } = await revka(["init", ...kept, ...words], env);
  expect(code).toBe(2);
  expect(err).toContain(message);
  expect(err).not.toContain("s3cret");
});

test("the session goes to the home that is set", async () => {
  await revka(["init", ...web, ...echo], env);
  expect(loaded().config.channels_config.whatsapp?.session_path).toBe(
    join(env["REVKA_HOME"] ?? "", "whatsapp-session.db"),
  );
});

test("the next commands name the file that was named", async () => {
  const other = join(env["HOME"] ?? "", "other.toml");
  const { out } = await revka(["init", ...web, ...echo, "--config", other], env);
  expect(out).toContain(
    `Next: revka doctor --config ${other}, then revka daemon --config ${other}`,
  );
});

test("and name it as a shell takes it", async () => {
  const other = join(env["HOME"] ?? "", "Ada's bot", "config.toml");
  const { out } = await revka(["init", ...web, ...echo, "--config", other], env);
  const typed = `'${other.replace("'", `'\\''`)}'`;
  expect(out).toContain(`Next: revka doctor --config ${typed}, then`);
});

test("@FILE keeps a secret off the command line", async () => {
  const token = join(env["HOME"] ?? "", "token");
  writeFileSync(token, "from-a-file\n");
  await revka(["init", ...wati.slice(0, 2), "--api-token", `@${token}`, ...echo], env);
  expect(loaded().config.channels_config.wati?.api_token).toBe("from-a-file");
});

test("what the config's own rules refuse is not left behind", async () => {
  const { code, err } = await revka(["init", ...web, ...echo], {
    ...env,
    REVKA_GATEWAY_PORT: "many",
  });
  expect(code).toBe(78);
  expect(err).toStartWith("nothing written: REVKA_GATEWAY_PORT: expected an integer");
  expect(existsSync(file)).toBe(false);
});

describe("on a terminal", () => {
  test("asks, asks again when an answer cannot be, and echoes no secret", async () => {
    const input = [
      "sms",
      "cloud",
      "+1555",
      "123456789012345",
      "EAAs3cret",
      "apps3cret",
      "",
      "+15551234567",
      "echo",
      "",
      "",
    ].join("\n");
    const { code, out, err } = await revka(["init"], env, { input, interactive: true });
    expect(code).toBe(0);
    expect(err).toContain("one of: cloud, web, wati");
    expect(err).toContain("the phone number ID is 5 to 20 digits");
    expect(err + out).not.toContain("s3cret");
    expect(widest(err)).toBeLessThanOrEqual(80 + "+15551234567".length);
    expect(loaded().config.channels_config.whatsapp).toMatchObject({
      access_token: "EAAs3cret",
      app_secret: "apps3cret",
      allowed_numbers: ["+15551234567"],
    });
  });

  test("asks again for a secret that its address may not have, and loses no answer", async () => {
    const words = ["web", "", "", "+15551234567", "webhook", "http://a.example/", "s3cret", ""];
    const { code, err } = await revka(["init"], env, {
      input: [...words, ""].join("\n"),
      interactive: true,
    });
    expect(err).toContain("over http:// it may go to this machine alone");
    expect(code).toBe(0);
    expect(loaded().config.agent).toMatchObject({ kind: "webhook", url: "http://a.example/" });
  });

  test("who gives up leaves nothing behind", async () => {
    const { code, err } = await revka(["init"], env, { input: "web\n", interactive: true });
    expect(code).toBe(1);
    expect(err).toEndWith("\nrevka: stopped; nothing was written\n");
    expect(existsSync(file)).toBe(false);
  });
});
