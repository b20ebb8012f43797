import { expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { homeOfInstalled, startedWith } from "../../src/service/installed.ts";
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

test.each(["", "[Service]\nExecStart=/bin/true\n"])("%p tells of none", (text) => {
  expect(homeOfInstalled(text)).toBeNull();
});
