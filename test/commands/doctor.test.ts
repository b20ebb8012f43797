import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { validityVerdict } from "../../src/commands/doctor/certificate-probe.ts";
import { cloudProbes, expiryVerdict, skewVerdict } from "../../src/commands/doctor/cloud-probes.ts";
import { clockVerdict } from "../../src/commands/doctor/machine-probes.ts";
import { examine, ok, type Finding, type Probe } from "../../src/commands/doctor/probe.ts";
import { serviceVerdicts } from "../../src/commands/doctor/service-probes.ts";
import { loadConfig } from "../../src/config/load.ts";
import { GraphSimulator } from "../../src/simulator/graph.ts";
import type { GraphAccount } from "../../src/simulator/graph/options.ts";
import { makeCertificate } from "../gateway/certificates.ts";
import { fakeClock } from "../support/clock.ts";
import { revka, temporaryHome, widest } from "../support/command.ts";

const undo: (() => unknown)[] = [];
let env: Record<string, string>;
let home: string;
beforeEach(() => {
  home = temporaryHome(undo);
  chmodSync(home, 0o700);
  env = { REVKA_HOME: home, HOME: home, PATH: "/usr/bin:/bin" };
});
afterEach(async () => {
  for (const step of undo.splice(0).toReversed()) await step();
});

function config(text: string, mode = 0o600) {
  writeFileSync(join(home, "config.toml"), text, { mode });
  return text;
}

async function cloud(account: Partial<GraphAccount> = {}, extra = "") {
  const graph = new GraphSimulator({ account });
  await graph.start();
  undo.push(() => graph.stop());
  config(`
[agent]
kind = "echo"
[channels_config.whatsapp]
access_token = "EAAsimulated"
phone_number_id = "1060000000000001"
verify_token = "verify-s3cret"
app_secret = "simulated-app-secret"
graph_api_version = "v26.0"
api_base_url = "${graph.url}"
allowed_numbers = ["+15551234567"]
${extra}`);
  return graph;
}

async function doctor() {
  const { code, out, err } = await revka(["doctor", "--json"], env);
  const document: { ok: boolean; findings: Finding[] } = JSON.parse(out);
  const find = (group: string, name: string) =>
    document.findings.find((finding) => finding.group === group && finding.name === name);
  return { code, out, err, find, ...document };
}

describe("Cloud", () => {
  test("all is well: exit 0, no error, no secret, nothing on stderr", async () => {
    await cloud();
    const result = await doctor();
    expect(result.findings.filter(({ level }) => level === "error")).toEqual([]);
    expect({ code: result.code, ok: result.ok, err: result.err }).toEqual({
      code: 0,
      ok: true,
      err: "",
    });
    expect(result.find("cloud", "number")?.message).toContain("15550783881");
    expect(result.find("cloud", "token")?.message).toContain("does not expire");
    expect(result.find("cloud", "subscription")?.level).toBe("ok");
    expect(result.find("cloud", "app secret")?.level).toBe("ok");
    expect(result.out).not.toMatch(/s3cret|EAAsimulated|simulated-app-secret/);
  });

  const wrong: [string, Partial<GraphAccount>, string, Finding["level"], RegExp][] = [
    ["another token", { accessToken: "other" }, "number", "error", /190/],
    ["another number", { phoneNumberId: "42" }, "number", "error", /100|33/],
    ["no subscription", { subscribed: false }, "subscription", "error", /no app is subscribed/],
    [
      "a token without permission",
      { scopes: [] },
      "permission",
      "error",
      /whatsapp_business_messaging/,
    ],
    [
      "a token that ends soon",
      { tokenExpiresAt: Math.floor(Date.now() / 1000) + 86_400 },
      "token",
      "warning",
      /expires on/,
    ],
  ];
  test.each(wrong)("%s", async (_, account, name, level, message) => {
    await cloud(account);
    const result = await doctor();
    expect(result.find("cloud", name)).toMatchObject({
      level,
      message: expect.stringMatching(message),
    });
    expect(result.find("cloud", name)?.next).not.toBeNull();
    expect(result.code).toBe(level === "error" ? 1 : 0);
    expect(result.out).not.toMatch(/s3cret|EAAsimulated|simulated-app-secret/);
  });

  test("nobody answers: one error that says so, and what does not need Meta is still told", async () => {
    const graph = await cloud();
    await graph.stop();
    const result = await doctor();
    expect(result.code).toBe(1);
    expect(result.find("cloud", "number")).toMatchObject({ level: "error" });
    expect(result.find("cloud", "token")).toBeUndefined();
    expect(result.find("agent", "agent")).toMatchObject({ level: "ok" });
  });

  const invalidProof = { error: { code: 100, message: "Invalid appsecret_proof" } };
  const busy = { error: { code: 4, message: "Application request limit reached" } };
  test.each<[string, () => Response, Finding["level"], RegExp]>([
    ["of another app", () => Response.json(invalidProof, { status: 400 }), "error", /copy it anew/],
    ["that Meta has no time for", () => Response.json(busy, { status: 400 }), "info", /^null$/],
    ["that gets no answer", () => new Response("<html>", { status: 502 }), "info", /^null$/],
  ])("an app secret %s", async (_, answer, level, next) => {
    await cloud();
    const fetch = async (url: string | URL) =>
      String(url).includes("appsecret_proof")
        ? answer()
        : Response.json({ id: "1060000000000001" });
    const findings = await examine(
      cloudProbes.filter(({ name }) => name === "app secret"),
      {
        loaded: loadConfig({ path: null, env, home }),
        env,
        network: { fetchFor: () => fetch, proxyUrlFor: () => null, close: async () => {} },
        status: null,
        clock: fakeClock(),
      },
      1000,
    );
    expect(findings).toMatchObject([{ level, name: "app secret" }]);
    expect(String(findings[0]?.next)).toMatch(next);
  });

  test("an old version warns", async () => {
    await cloud();
    const text = config(
      '[agent]\nkind="echo"\n[channels_config.whatsapp]\naccess_token="EAAsimulated"\nphone_number_id="1"\nverify_token="vvvv"\napi_base_url="http://127.0.0.1:9"\n',
    );
    expect(text).not.toContain("graph_api_version");
    expect((await doctor()).find("cloud", "version")).toMatchObject({ level: "warning" });
  });
});

describe("config and machine", () => {
  test("a readable config, an empty allowlist and a dead gate are named", async () => {
    await cloud({}, 'dm_mention_patterns = ["(unclosed"]');
    const text = (await Bun.file(join(home, "config.toml")).text()).replace(
      '["+15551234567"]',
      "[]",
    );
    config(text);
    chmodSync(join(home, "config.toml"), 0o644);
    const result = await doctor();
    expect(result.code).toBe(1);
    expect(result.find("config", "file mode")).toMatchObject({ level: "warning" });
    expect(result.find("config", "allowlist")).toMatchObject({ level: "warning" });
    expect(
      result.findings.some(({ name, level }) => name === "mention gate" && level === "error"),
    ).toBe(true);
  });

  test("a secret that strays into another key is not shown", async () => {
    await cloud({}, '[gateway]\npublic_url = "https://verify-s3cret.example"');
    const result = await doctor();
    expect(result.find("gateway", "public address")?.message).toBe("https://[redacted].example");
    expect(result.out).not.toContain("s3cret");
  });

  const damages: [string, (path: string) => void][] = [
    ["all of it", (path) => writeFileSync(path, "not a database, but long enough".repeat(99))],
    [
      "a page of it",
      (path) => {
        const database = new DatabaseSync(path);
        database.exec("BEGIN; CREATE TABLE inbox (id); CREATE INDEX ids ON inbox (id)");
        for (let i = 0; i < 500; i++) {
          database.exec("INSERT INTO inbox VALUES (hex(randomblob(20)))");
        }
        database.exec("COMMIT");
        database.close();
        const bytes = readFileSync(path);
        writeFileSync(path, bytes.fill(7, 4096 * 3, 4096 * 3 + 1000));
      },
    ],
  ];
  test.each(damages)("a damaged store is an error: %s", async (_, damage) => {
    await cloud();
    const path = join(home, "revka.db");
    damage(path);
    chmodSync(path, 0o600);
    const { code, find } = await doctor();
    expect(code).toBe(1);
    expect(find("store", "database")).toMatchObject({
      level: "error",
      message: expect.stringMatching(/revka\.db: it is damaged \([^\n]+\)$/),
      next: expect.stringContaining("restore a backup"),
    });
  });

  test("a store that cannot be opened is not called damaged: no backup is to be laid over it", async () => {
    await cloud();
    const path = join(home, "revka.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA journal_mode = WAL; CREATE TABLE inbox (id)");
    database.close();
    chmodSync(path, 0o600);
    // As where the account may not make it there.
    mkdirSync(`${path}-wal`);
    const { find } = await doctor();
    expect(find("store", "database")).toMatchObject({
      level: "error",
      message: `${path} cannot be opened and written by this account`,
      next: "run this as the daemon's account, or give that account the file and its folder, on a disk that is not mounted read-only",
    });
  });

  test("a store that is a folder is not called damaged, and a home that is a file not one to chmod", async () => {
    await cloud({}, `[store]\npath = "${home}"`);
    const { find } = await doctor();
    expect(find("store", "database")).toMatchObject({
      level: "error",
      message: `${home} is no file`,
    });
    const file = join(home, "file");
    writeFileSync(file, "");
    env = { ...env, REVKA_HOME: file, REVKA_CONFIG: join(home, "config.toml") };
    expect((await doctor()).find("config", "home")).toMatchObject({
      level: "error",
      message: `${file} is no folder`,
    });
  });

  test.each([
    ["a database of another program", "other.db"],
    ["a file of something else", "notes.txt"],
  ])("%s is neither sound nor damaged, and nobody's to close", async (what, name) => {
    const path = join(home, name);
    if (name === "other.db") {
      const database = new DatabaseSync(path);
      database.exec("CREATE TABLE bookmarks (url TEXT)");
      database.close();
    } else writeFileSync(path, "dear diary");
    chmodSync(path, 0o644);
    await cloud({}, `[store]\npath = "${path}"`);
    const { code, find } = await doctor();
    expect(code).toBe(1);
    expect(find("store", "database")).toMatchObject({
      level: "error",
      message: `${path}: that is ${what}`,
      next: "set [store] path to a file that is Revka's own",
    });
    expect(find("store", "database mode")).toBeUndefined();
  });

  test("a store is not promised where none can be made", async () => {
    const file = join(home, "notes.txt");
    writeFileSync(file, "");
    await cloud({}, `[store]\npath = "${file}/deep/revka.db"`);
    const under = await doctor();
    expect(under.find("store", "database")).toMatchObject({
      level: "error",
      message: `${file} is no folder`,
    });
    expect(under.find("store", "space")?.message).toEndWith(`are free in ${home}`);
    const link = join(home, "link.db");
    symlinkSync("/nowhere/revka.db", link);
    await cloud({}, `[store]\npath = "${link}"`);
    expect((await doctor()).find("store", "database")).toMatchObject({
      level: "error",
      message: `${link} is a link to nothing`,
    });
  });

  test("a proxy that nobody listens at is an error", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const address = server.address();
    const port = typeof address === "object" ? address?.port : 0;
    await new Promise((resolve) => server.close(resolve));
    await cloud({}, `proxy_url = "http://ada:proxys3cret@127.0.0.1:${port}"`);
    const result = await doctor();
    expect(result.find("proxy", "proxy")).toMatchObject({ level: "error" });
    expect(result.find("cloud", "number")).toMatchObject({ level: "error" });
    expect(result.out).not.toContain("proxys3cret");
  });

  test("a certificate that the daemon could not use", async () => {
    const files = { cert: join(home, "one.crt"), key: join(home, "one.key") };
    const pem = makeCertificate(home, "one");
    makeCertificate(home, "two");
    const tls = (cert: string) =>
      cloud({}, `[gateway.tls]\nenabled = true\ncert_path = "${cert}"\nkey_path = "${files.key}"`);
    await tls(files.cert);
    const soon = await doctor();
    expect(soon.find("gateway", "certificate")).toMatchObject({ level: "warning" });
    expect(soon.find("gateway", "public address")?.message).toContain("https://127.0.0.1:42617");
    await tls(join(home, "two.crt"));
    expect((await doctor()).find("gateway", "certificate")).toMatchObject({
      level: "error",
      message: expect.stringContaining("does not belong to the certificate"),
    });
    await tls(join(home, "none.crt"));
    const { code, find } = await doctor();
    expect(code).toBe(1);
    expect(find("gateway", "certificate")?.message).toBe(
      `gateway.tls.cert_path: ${home}/none.crt is not there: name the PEM file`,
    );
    const ends = Date.parse(new X509Certificate(pem.cert).validTo);
    const day = 86_400_000;
    expect(validityVerdict(pem.cert, ends + 1).level).toBe("error");
    expect(validityVerdict(pem.cert, ends - 13 * day).level).toBe("warning");
    expect(validityVerdict(pem.cert, ends - 15 * day).level).toBe("ok");
  });

  test("a daemon that does not answer is one error among the findings", async () => {
    await cloud();
    const server = createServer((socket) => socket.resume().end("HTTP/1.1 500 No\r\n\r\n{}"));
    undo.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(join(home, "revka.sock"), resolve));
    const { code, err, find } = await doctor();
    expect({ code, err }).toEqual({ code: 1, err: "" });
    expect(find("daemon", "daemon")?.level).toBe("error");
    expect(find("agent", "agent")?.level).toBe("ok");
  });

  test("a config error is 78, as one JSON document or as lines", async () => {
    config("[channels_config.whatsapp]\nphone_number_id = 5\n");
    const result = await doctor();
    expect(result.code).toBe(78);
    expect(result.ok).toBe(false);
    const plain = await revka(["doctor"], env);
    expect({ code: plain.code, out: plain.out }).toEqual({ code: 78, out: "" });
    expect(plain.err).toContain("phone_number_id");
  });

  test("the page fits 80 columns", async () => {
    await cloud();
    const { out } = await revka(["doctor"], env);
    const own = out.split("\n").filter((line) => !line.includes(home));
    expect(widest(own.join("\n"))).toBeLessThanOrEqual(80);
    expect(out).not.toContain("\u001b");
    expect(out).toContain("0 errors");
  });
});

describe("probes", () => {
  const examination = () => ({
    loaded: loadConfig({ path: null, env, home }),
    env,
    network: {
      fetchFor: () => async () => new Response(),
      proxyUrlFor: () => null,
      close: async () => {},
    },
    status: null,
  });
  const probe = (name: string, run: Probe["run"]): Probe => ({ group: "agent", name, run });

  test("run side by side; one that hangs or throws spoils no other", async () => {
    await cloud();
    const clock = fakeClock();
    let aborted = false;
    const findings = examine(
      [
        probe("hangs", (_, signal) => {
          signal.addEventListener("abort", () => (aborted = true));
          return new Promise(() => {});
        }),
        probe("rejects", () => Promise.reject(new Error("boom"))),
        probe("throws", () => {
          throw new Error("bang");
        }),
        probe("works", () => [ok("works", "fine")]),
      ],
      { ...examination(), clock },
      20_000,
    );
    await clock.advance(20_000);
    expect((await findings).map(({ name, level, message }) => [name, level, message])).toEqual([
      ["hangs", "error", "no answer within 20 s"],
      ["rejects", "error", "boom"],
      ["throws", "error", "bang"],
      ["works", "ok", "fine"],
    ]);
    expect(aborted).toBe(true);
    expect(clock.pending).toBe(0);
  });

  const now = Date.parse("2026-11-23T12:00:00Z");
  test.each([
    [0, "ok"],
    [now / 1000 - 1, "error"],
    [now / 1000 + 86_400, "warning"],
    [now / 1000 + 86_400 * 60, "info"],
  ] as const)("a token that expires at %p", (expiresAt, level) => {
    expect(expiryVerdict(expiresAt, now).level).toBe(level);
  });

  test.each([
    ["Mon, 23 Nov 2026 12:00:30 GMT", null],
    ["Mon, 23 Nov 2026 12:05:00 GMT", "warning"],
    ["Mon, 23 Nov 2026 11:55:00 GMT", "warning"],
    ["yesterday", null],
    [null, null],
  ])("Meta's clock at %p", (date, level) => {
    expect(skewVerdict(date, now)?.level ?? null).toBe(level as "warning" | null);
  });

  test.each([
    [now, now - 1, "ok"],
    [now, now + 1, "error"],
    [0, 0, "error"],
  ] as const)("a clock at %p, built at %p", (at, builtAt, level) => {
    expect(clockVerdict(at, builtAt).level).toBe(level);
  });

  test.each([
    [[], "info"],
    [["etc/systemd/system/revka.service"], "warning"],
    [
      [
        "etc/systemd/system/revka.service",
        "etc/systemd/system/multi-user.target.wants/revka.service",
      ],
      "ok",
    ],
    [["etc/init.d/revka"], "warning"],
    [["etc/init.d/revka", "etc/runlevels/default/revka"], "ok"],
    [["Library/LaunchDaemons/com.revka.daemon.plist"], "ok"],
    [["Library/LaunchAgents/com.revka.daemon.plist"], "ok"],
  ] as const)("a service with %p", (files, level) => {
    for (const file of files) {
      mkdirSync(join(home, file, ".."), { recursive: true });
      writeFileSync(join(home, file), "");
    }
    expect(serviceVerdicts({ env: { HOME: home } }, home)[0]?.level).toBe(level);
  });
});

describe("speech", () => {
  test.each([
    ["a key that is missing", "transcription", `enabled = true`, "set [transcription] api_key"],
    ["a key that is missing", "tts", `enabled = true`, "set [tts.openai] api_key"],
    [
      "a program that is missing",
      "tts",
      `enabled = true\ndefault_provider = "edge"\nedge = { binary_path = "edge-is-not-here" }`,
      "edge-is-not-here is not installed",
    ],
    [
      "ffmpeg, where a server may give WAV",
      "tts",
      `enabled = true\ndefault_provider = "piper"`,
      "ffmpeg is not installed",
    ],
    [
      "ffmpeg, where a program gives MP3",
      "tts",
      `enabled = true\ndefault_provider = "edge"\nedge = { binary_path = "/bin/sh" }`,
      "ffmpeg is not installed",
    ],
  ])("warns of %s: [%s]", async (_, table, lines, said) => {
    config(`[agent]\nkind = "echo"\n[${table}]\n${lines}\n`);
    env["PATH"] = home;
    const { find } = await doctor();
    const name = table === "tts" ? "voice notes" : "transcription";
    expect(find("speech", name)).toMatchObject({ level: "warning" });
    expect(find("speech", name)?.message).toContain(said);
  });
});
