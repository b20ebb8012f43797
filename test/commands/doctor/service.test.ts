import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Level } from "../../../src/commands/doctor/probe.ts";
import { serviceVerdicts } from "../../../src/commands/doctor/service-probes.ts";
import { currentUserName } from "../../../src/service/accounts.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "revka-doctor-"));
});
afterEach(() => rmSync(root, { recursive: true }));

const user = "home/ada/.config/systemd/user";
const lingers = `var/lib/systemd/linger/${currentUserName()}`;
const system = "etc/systemd/system";

test.each<[string, string[], [name: string, level: Level, words: string][]]>([
  [
    "nothing",
    [],
    [["service", "info", "nor launchd runs here; let your supervisor or container run"]],
  ],
  [
    "a systemd that was never asked",
    ["run/systemd/system/unit"],
    [["service", "info", "sudo revka service install"]],
  ],
  [
    "an OpenRC that was never asked",
    ["run/openrc/softlevel"],
    [["service", "info", "sudo revka service install"]],
  ],
  [
    "one's own that is not enabled",
    [`${user}/revka.service`, lingers],
    [["service", "warning", "systemctl --user enable revka"]],
  ],
  [
    "one's own that ends with the session",
    [`${user}/revka.service`, `${user}/default.target.wants/revka.service`],
    [
      ["service", "ok", "is installed for you"],
      ["linger", "warning", "loginctl enable-linger"],
    ],
  ],
  [
    "one's own that stays",
    [`${user}/revka.service`, `${user}/default.target.wants/revka.service`, lingers],
    [["service", "ok", "is installed for you"]],
  ],
  [
    "one of the system, beside one's own",
    [
      `${system}/revka.service`,
      `${system}/multi-user.target.wants/revka.service`,
      `${user}/revka.service`,
    ],
    [["service", "ok", "starts at boot"]],
  ],
  [
    "one of the system that is not enabled",
    [`${system}/revka.service`],
    [["service", "warning", "systemctl enable revka"]],
  ],
  ["one of OpenRC alone", ["etc/init.d/revka"], [["service", "warning", "rc-update add revka"]]],
  [
    "one's own under launchd",
    ["home/ada/Library/LaunchAgents/com.revka.daemon.plist"],
    [["service", "ok", "starts when you log in"]],
  ],
  [
    "one of macOS",
    ["Library/LaunchDaemons/com.revka.daemon.plist"],
    [["service", "ok", "starts at boot"]],
  ],
])("a machine with %s", (_, files, expected) => {
  for (const file of files) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), "");
  }
  const verdicts = serviceVerdicts({ env: { HOME: join(root, "home/ada") } }, root, "linux");
  expect(verdicts).toHaveLength(expected.length);
  for (const [i, [name, level, words]] of expected.entries()) {
    expect(verdicts[i]).toMatchObject({ name, level });
    expect(`${verdicts[i]?.message} ${verdicts[i]?.next}`).toContain(words);
  }
});
