import { expect, test } from "bun:test";
import { homeOfInstalled } from "../../src/service/installed.ts";
import { launchdPlist } from "../../src/service/launchd.ts";
import { openrcScript } from "../../src/service/openrc.ts";
import type { ServiceRequest } from "../../src/service/plan.ts";
import { systemdUnit } from "../../src/service/systemd.ts";

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
