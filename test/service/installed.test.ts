import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  configOfInstalled,
  homeOfInstalled,
  startedBy,
  startedWith,
} from "../../src/service/installed.ts";
import { launchdPlist } from "../../src/service/launchd.ts";
import { openrcScript } from "../../src/service/openrc.ts";
import type { ServiceRequest } from "../../src/service/plan.ts";
import { systemdUnit } from "../../src/service/systemd.ts";
import { temporaryFolder } from "../support/store.ts";

const config = "/etc/revka/config.toml";
const direct = `ExecStart=/usr/local/bin/revka daemon --config ${config}\n`;
const handedOver = `LoadCredential=revka-config:${config}\n`;
const secret = "LoadCredential=revka-api-key:/etc/revka/credentials/revka-api-key\n";

test.each([
  [direct, { credentials: null }],
  [handedOver, { credentials: null }],
  [handedOver + secret, { credentials: "/etc/revka/credentials" }],
  [`${handedOver}LoadCredential=.secret_key:/etc/revka/.secret_key\n`, { credentials: null }],
  // Written into the unit by a person, and not by us.
  [`${handedOver}LoadCredential=revka-api-key:/etc/keys/openai\n`, null],
  [`${handedOver}${secret}LoadCredential=revka-wati-api-token:/srv/revka-wati-api-token\n`, null],
  [`${direct}LoadCredential=revka-api-key:/srv/50%%/revka-api-key\n`, null],
  [`${direct}SetCredentialEncrypted=revka-api-key: k6iUCUh0RJCQyvL8k8q1UyAAAAA\n`, null],
  [`${direct}LoadCredentialEncrypted=revka-api-key:/etc/revka/api-key.cred\n`, null],
  [`${direct}ImportCredential=revka-*\n`, null],
  ["ExecStart=/usr/local/bin/revka daemon --config /srv/c.toml\n", null],
  [`ExecStart=/usr/local/bin/revka daemon --config ${config}.old\n`, null],
])("of the unit %p is known %p", (text, known) => {
  const folder = temporaryFolder();
  const unit = join(folder.path, "revka.service");
  expect(startedWith(unit, config)).toBeNull();
  writeFileSync(unit, text);
  expect(startedWith(unit, config)).toEqual(known);
  mkdirSync(`${unit}.d`);
  expect(startedWith(unit, config)).toBeNull();
  folder.remove();
});

const request: ServiceRequest = {
  executable: ["/bin/true"],
  scope: "system",
  account: "ada",
  home: "/home/ada/.revka",
  config: "/home/ada/.revka/config.toml",
  writable: [],
  credentials: [],
  memoryMax: null,
  systemdVersion: null,
};

test.each([
  ["systemd", systemdUnit],
  ["OpenRC", openrcScript],
  ["launchd", (of: ServiceRequest) => launchdPlist(of, "/l.log")],
])("the home of what is installed is read back: %s", (_, written) => {
  for (const home of ["/home/ada/.revka", `/srv/a b/50%n/it's "$HOME" \\ & <that>`]) {
    expect(homeOfInstalled(written({ ...request, home }))).toBe(home);
  }
});

test.each([
  ["systemd", systemdUnit],
  ["OpenRC", openrcScript],
  ["launchd", (of: ServiceRequest) => launchdPlist(of, "/l.log")],
])("and its config: %s", (_, written) => {
  expect(configOfInstalled(written(request))).toBe(request.config);
});

test("no config is read back of a unit that is handed one", () => {
  const own = { ...request, account: null, home: "/var/lib/revka" };
  expect(configOfInstalled(systemdUnit(own))).toBeNull();
  expect(configOfInstalled(systemdUnit({ ...request, config: "/a b.toml" }))).toBeNull();
});

test.each(["", "[Service]\nExecStart=/bin/true\n"])("%p tells of none", (text) => {
  expect(homeOfInstalled(text)).toBeNull();
});

describe("what OpenRC and launchd start is read back", () => {
  let folder: ReturnType<typeof temporaryFolder>;
  beforeEach(() => (folder = temporaryFolder()));
  afterEach(() => folder.remove());

  /** As it lies on the machine: OpenRC's script in a folder beside that of its settings. */
  function written(text: string): string {
    const path = join(folder.path, "init.d/revka");
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, text);
    return path;
  }
  const makers: [manager: string, make: (of: ServiceRequest) => string][] = [
    ["OpenRC", openrcScript],
    ["launchd", (of) => launchdPlist(of, "/l.log")],
  ];

  test.each(makers)("config, account and home: %s", (_, make) => {
    const odd = `/srv/a b/50%n/it's "$HOME" \\ & <that>`;
    const { config, account, home } = request;
    expect(startedBy(written(make(request)))).toEqual({ config, account, home });
    expect(startedBy(written(make({ ...request, config: odd, home: odd })))).toEqual({
      config: odd,
      account,
      home: odd,
    });
  });

  test("a person's own agent has no account", () => {
    const path = written(launchdPlist({ ...request, scope: "user", account: null }, "/l.log"));
    expect(startedBy(path)?.account).toBeNull();
  });

  test.each<[string, string]>([
    ["nothing that Revka wrote", "#!/bin/sh\n"],
    [
      "a script with a variable more",
      openrcScript(request).replace("export ", "export OPENAI_API_KEY=k\nexport "),
    ],
    [
      "a list with a variable more",
      launchdPlist(request, "/l.log").replace(
        "<key>REVKA_HOME",
        "<key>OPENAI_API_KEY</key><string>k</string><key>REVKA_HOME",
      ),
    ],
  ])("but not for sure: %s", (_, text) => {
    expect(startedBy(written(text))).toBeNull();
  });

  test("nor of a script with settings beside it, nor of none", () => {
    const path = written(openrcScript(request));
    expect(startedBy(join(folder.path, "none"))).toBeNull();
    mkdirSync(join(folder.path, "conf.d"));
    writeFileSync(join(folder.path, "conf.d/revka"), "export OPENAI_API_KEY=k\n");
    expect(startedBy(path)).toBeNull();
  });
});
