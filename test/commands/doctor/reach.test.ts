import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { cloudProbes } from "../../../src/commands/doctor/cloud-probes.ts";
import { gatewayProbes } from "../../../src/commands/doctor/gateway-probes.ts";
import type { Finding, Probe } from "../../../src/commands/doctor/probe.ts";
import { networkProbes } from "../../../src/commands/doctor/network-probes.ts";
import { watiProbes } from "../../../src/commands/doctor/wati-probes.ts";
import { webProbes } from "../../../src/commands/doctor/web-probes.ts";
import { SessionDatabase } from "../../../src/channels/whatsapp-web/session-database.ts";
import { lockSession } from "../../../src/channels/whatsapp-web/session-lock.ts";
import { offlineReport } from "../../../src/commands/status/offline.ts";
import { loadConfig } from "../../../src/config/load.ts";
import type { ChannelReport } from "../../../src/control/api.ts";
import { buildInfo } from "../../../src/runtime/build-info.ts";
import type { Fetch } from "../../../src/net/fetch.ts";
import { examined } from "../../support/examined.ts";

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "revka doctor-"));
});
afterEach(() => rmSync(home, { recursive: true }));

/** Runs probes on a config, with a daemon that runs where asked for, and with one answer to every request. */
async function findings(
  probes: Probe[],
  text: string,
  fetch: Fetch,
  running = true,
  linkedAs: string | null = null,
  changes: Partial<ChannelReport> = {},
) {
  const path = join(home, "config.toml");
  writeFileSync(path, `[agent]\nkind = "echo"\n${text}`, { mode: 0o600 });
  const loaded = loadConfig({ path, env: {}, home });
  const report = offlineReport(loaded);
  for (const channel of report.channels) Object.assign(channel, { linked_as: linkedAs }, changes);
  const found = await examined(probes, loaded, { status: running ? report : null }, fetch);
  return (name: string): Finding | undefined => found.find((finding) => finding.name === name);
}

const cloud = `[gateway]
path_prefix = "/bot"
public_url = "https://bot.example/"
[channels_config.whatsapp]
access_token = "aaaa"
phone_number_id = "1"
verify_token = "a b&c"
`;

describe("the callback", () => {
  const echo: Fetch = async (url) => new Response(new URL(url).searchParams.get("hub.challenge"));

  test("is asked as Meta asks: prefix, mode and token", async () => {
    const asked: URL[] = [];
    const find = await findings(gatewayProbes, cloud, (url) => {
      asked.push(new URL(url));
      return echo(url);
    });
    expect(find("callback /whatsapp")).toMatchObject({ level: "ok" });
    expect(asked.map(({ origin, pathname }) => origin + pathname)).toEqual([
      "https://bot.example/bot/whatsapp",
    ]);
    expect(asked[0]?.searchParams.get("hub.mode")).toBe("subscribe");
    expect(asked[0]?.searchParams.get("hub.verify_token")).toBe("a b&c");
  });

  test.each([
    [403, "verify_token"],
    [404, "path"],
    [301, "redirect"],
    [502, "tunnel"],
    [200, ""],
  ])("status %p with another body is an error with advice", async (status, advice) => {
    const find = await findings(gatewayProbes, cloud, async () => new Response("no", { status }));
    expect(find("callback /whatsapp")).toMatchObject({
      level: "error",
      next: expect.stringContaining(advice),
    });
  });

  test("whose address ends in the route already is told of that", async () => {
    const twice = cloud.replace("bot.example/", "bot.example/bot/whatsapp/");
    const find = await findings(
      gatewayProbes,
      twice,
      async () => new Response("", { status: 404 }),
    );
    expect(find("callback /whatsapp")).toMatchObject({
      level: "error",
      next: "public_url ends in /bot/whatsapp, which is added to it: leave that away",
    });
  });

  test("out of reach from here is a warning: a router may not call itself", async () => {
    const find = await findings(gatewayProbes, cloud, () => Promise.reject(new Error("refused")));
    expect(find("callback /whatsapp")).toMatchObject({ level: "warning" });
  });

  test("is not tried while no daemon runs", async () => {
    let asked = 0;
    const find = await findings(
      gatewayProbes,
      cloud,
      async () => new Response(String(asked++)),
      false,
    );
    expect(find("callback")).toMatchObject({ level: "info" });
    expect(asked).toBe(0);
  });
});

describe("the public address", () => {
  const never: Fetch = () => Promise.reject(new Error("no network here"));
  const table = '[channels_config.whatsapp]\naccess_token = "aaaa"\nphone_number_id = "1"\n';
  const whole = `${table}verify_token = "vvvv"\n`;
  const wati = '[channels_config.wati]\napi_token = "watitoken"\n';
  const web = '[channels_config.whatsapp]\nsession_path = "/nowhere/session.db"\n';

  test.each<[string, string, Finding["level"], string]>([
    ["https", '[gateway]\npublic_url = "https://bot.example"\n', "ok", "https://bot.example"],
    ["http of this machine", '[gateway]\npublic_url = "http://localhost:8080"\n', "ok", "8080"],
    [
      "a tunnel",
      '[tunnel]\nprovider = "cloudflare"\ncloudflare = { token = "tttt" }\n',
      "info",
      "the cloudflare tunnel gives one",
    ],
    ["no tunnel", '[tunnel]\nprovider = "none"\n', "info", "led to http://127.0.0.1:42617"],
    [
      "none, and IPv6",
      '[gateway]\nhost = "::1"\nport = 8080\npath_prefix = "/bot"\n',
      "info",
      "led to http://[::1]:8080/bot",
    ],
  ])("%s", async (_, gateway, level, words) => {
    for (const channel of [whole, wati]) {
      const find = await findings(gatewayProbes, gateway + channel, never, false);
      expect(find("public address")).toMatchObject({
        level,
        message: expect.stringContaining(words),
      });
    }
  });

  test("is what the daemon says of it, since a tunnel may give it another", async () => {
    const path = join(home, "config.toml");
    writeFileSync(
      path,
      `[agent]\nkind = "echo"\n[gateway]\npublic_url = "https://a.example"\n${wati}`,
    );
    const loaded = loadConfig({ path, env: {}, home });
    const gateway = { address: null, public_url: "http://tunnel.example" };
    const status = { ...offlineReport(loaded), gateway };
    const found = await examined(gatewayProbes, loaded, { status }, never);
    expect(found.find(({ name }) => name === "public address")).toMatchObject({
      level: "error",
      message: "http://tunnel.example is not https",
    });
  });

  test("is nothing that WhatsApp Web needs", async () => {
    const gateway = '[gateway]\npublic_url = "https://bot.example"\n';
    const find = await findings(gatewayProbes, gateway + web, never);
    expect(find("public address")).toBeUndefined();
    expect(find("callback /whatsapp")).toBeUndefined();
  });

  test("is tried for each webhook, WATI's without Meta's token", async () => {
    const asked: URL[] = [];
    const gateway = '[gateway]\npublic_url = "https://bot.example"\n';
    const find = await findings(gatewayProbes, gateway + whole + wati, async (url) => {
      asked.push(new URL(url));
      return new Response(new URL(url).searchParams.get("hub.challenge"));
    });
    expect(find("callback /whatsapp")?.level).toBe("ok");
    expect(find("callback /wati")?.level).toBe("ok");
    expect(asked.map((url) => [url.pathname, url.searchParams.get("hub.verify_token")])).toEqual([
      ["/whatsapp", "vvvv"],
      ["/wati", null],
    ]);
  });
});

describe("Meta", () => {
  const html = "<html>please log in</html>";
  test.each([
    ["a proxy's refusal", 403, html, "the answer (403) is none of Meta's Graph API"],
    ["a captive portal", 200, html, "the answer (200) is none of Meta's Graph API"],
    ["a JSON of somebody else", 200, "{}", "what answers names no number"],
  ])("%s is not taken for Meta", async (_, status, body, words) => {
    const find = await findings(cloudProbes, cloud, async () => new Response(body, { status }));
    expect(find("number")).toMatchObject({
      level: "error",
      message: expect.stringContaining(words),
      next: expect.stringContaining("check api_base_url and proxy_url"),
    });
  });
});

describe("WATI", () => {
  const wati = '[channels_config.wati]\napi_token = "watitoken"\napi_url = "http://127.0.0.1:9"\n';

  test("a refused token is an error, an open webhook a warning", async () => {
    const find = await findings(watiProbes, wati, async () => new Response("{}", { status: 401 }));
    expect(find("token")).toMatchObject({ level: "error" });
    expect(find("webhook secret")).toMatchObject({ level: "warning" });
    const portal = await findings(watiProbes, wati, async () => new Response("<html>"));
    expect(portal("token")?.message).toBe("what answers is not WATI");
    const closed = `${wati}webhook_secret = "hush-hush"\n`;
    const other = await findings(
      watiProbes,
      closed,
      async () => new Response("{}", { status: 401 }),
    );
    expect(other("webhook secret")).toMatchObject({ level: "ok" });
  });
});

describe("Web", () => {
  const web = () => `[channels_config.whatsapp]\nsession_path = "${join(home, "session.db")}"\n`;
  const answers: Fetch = async () => new Response();

  test("without a session nothing is wrong yet", async () => {
    const find = await findings(webProbes, web(), answers, false);
    expect(find("session")).toMatchObject({ level: "info" });
    expect(find("session key")).toBeUndefined();
    expect(find("network")).toMatchObject({ level: "ok" });
  });

  test("nothing is tried by a build that does not hold it", async () => {
    const { variant } = buildInfo;
    buildInfo.variant = "default";
    try {
      const text = `${web()}ws_url = "ws://localhost:1/"\n`;
      const find = await findings([...webProbes, ...networkProbes], text, answers);
      const found = ["session", "link", "network", "DNS"].filter((name) => find(name));
      expect(found).toEqual([]);
    } finally {
      buildInfo.variant = variant;
    }
  });

  test("a session without its key is an error, and no key is made", async () => {
    SessionDatabase.open({ path: join(home, "session.db"), env: {} }).close();
    rmSync(join(home, "session.db.key"));
    chmodSync(join(home, "session.db"), 0o644);
    const find = await findings(webProbes, web(), answers);
    expect(find("session key")).toMatchObject({ level: "error" });
    expect(find("session mode")).toMatchObject({
      level: "warning",
      next: `chmod 600 '${join(home, "session.db")}'`,
    });
    expect(await Bun.file(join(home, "session.db.key")).exists()).toBe(false);
    expect(find("link")).toMatchObject({ level: "warning" });
  });

  test.each([true, false])(
    "another program's file is told as that, and no key of it is missed (daemon: %p)",
    async (running) => {
      const session = join(home, "session.db");
      const original = new DatabaseSync(session);
      original.exec("CREATE TABLE device (id INTEGER PRIMARY KEY)");
      original.close();
      const before = readdirSync(home);
      const find = await findings(webProbes, web(), answers, running);
      expect(find("session")).toMatchObject({
        level: "error",
        message: expect.stringContaining("is not a session of this Revka"),
        next: expect.stringContaining("move it away"),
      });
      expect(find("session key")).toBeUndefined();
      expect(readdirSync(home).filter((name) => name !== "config.toml")).toEqual(before);
    },
  );

  test("while no daemon runs, the session is opened: a key of another is an error, as is a lock", async () => {
    const session = join(home, "session.db");
    SessionDatabase.open({ path: session, env: {} }).close();
    const opened = await findings(webProbes, web(), answers, false);
    expect(opened("session key")).toMatchObject({ level: "ok" });
    const lock = lockSession(session);
    const locked = await findings(webProbes, web(), answers, false);
    expect(locked("session lock")).toMatchObject({ level: "error" });
    lock.release();
    writeFileSync(`${session}.key`, `${Buffer.alloc(32, 7).toString("base64")}\n`);
    const foreign = await findings(webProbes, web(), answers, false);
    expect(foreign("session key")).toMatchObject({ level: "error" });
  });

  const linking = { qr: "2@code", pair_code: null, expires_at: "2026-01-01T00:00:00Z" };
  test.each<[Partial<ChannelReport>, string, string | undefined]>([
    [{ state: "linking", linking }, "revka link shows the code", undefined],
    [{ state: "logged_out" }, "revka relink", "revka relink"],
    [{ state: "disconnected" }, "see what is said of the channel above", undefined],
  ])("a code is promised only where there is one: %p", async (changes, link, session) => {
    const find = await findings(webProbes, web(), answers, true, null, changes);
    expect(find("link")).toMatchObject({ level: "warning", next: link });
    if (session) expect(find("session")).toMatchObject({ next: session });
  });

  test("a daemon that has opened its session has a key, whatever this shell knows of it", async () => {
    writeFileSync(join(home, "session.db"), "x", { mode: 0o600 });
    const find = await findings(webProbes, web(), answers, true, "+15550001000");
    expect(find("session key")).toMatchObject({ level: "ok" });
    expect(find("link")).toMatchObject({ level: "ok" });
  });

  test("what is for its owner alone is not warned of", async () => {
    SessionDatabase.open({ path: join(home, "session.db"), env: {} }).close();
    expect((await findings(webProbes, web(), answers))("session mode")).toBeUndefined();
  });

  test("the session that a daemon holds is not opened beside it", async () => {
    const session = join(home, "session.db");
    const held = SessionDatabase.open({ path: session, env: {} });
    const find = await findings(webProbes, web(), answers, true, null, { state: "connecting" });
    expect(find("session key")).toMatchObject({ level: "ok", message: "is there" });
    expect(find("session lock")).toBeUndefined();
    held.close();
  });

  test.each(["nothing", "a copy"])(
    "nothing is made beside a session, %s, that no daemon opened",
    async (what) => {
      const session = join(home, "session.db");
      SessionDatabase.open({ path: session, env: {} }).close();
      const text = what === "nothing" ? "" : readFileSync(session);
      for (const name of readdirSync(home)) rmSync(join(home, name));
      writeFileSync(session, text, { mode: 0o600 });
      writeFileSync(`${session}.key`, `${Buffer.alloc(32, 7).toString("base64")}\n`, {
        mode: 0o600,
      });
      if (text === "") writeFileSync(`${session}.lock`, "");
      const before = readdirSync(home);
      const find = await findings(webProbes, web(), answers, false);
      expect(find("session key")).toMatchObject({ level: "ok", message: "is there" });
      expect(readdirSync(home).filter((name) => name !== "config.toml")).toEqual(before);
      expect(find("link")).toMatchObject({ level: "info" });
    },
  );

  test("no network is an error that names the host", async () => {
    const find = await findings(webProbes, web(), () => Promise.reject(new Error("x")));
    expect(find("network")).toMatchObject({
      level: "error",
      message: expect.stringContaining("web.whatsapp.com"),
    });
  });
});
