import { expect, test } from "bun:test";
import { CURRENT_GRAPH_VERSION, graphVersionNotice } from "../../src/config/graph-versions.ts";

const advice = 'set graph_api_version = "v26.0"';
const served = (version: string) =>
  `Meta serves calls to an expired version as the next oldest usable one (now ${version}); ${advice}`;

test.each<[version: string, on: string, notice: string | null]>([
  ["v18.0", "2026-11-23", `Graph API v18.0 expired on 26 January 2026; ${served("v21.0")}`],
  ["v18.0", "2026-01-26", `Graph API v18.0 expired on 26 January 2026; ${served("v19.0")}`],
  ["v18.0", "2027-01-21", `Graph API v18.0 expired on 26 January 2026; ${served("v22.0")}`],
  ["v18.0", "2026-01-25", `Graph API v18.0 expires on 26 January 2026; ${advice}`],
  ["v20.0", "2026-11-23", `Graph API v20.0 expired on 24 September 2026; ${served("v21.0")}`],
  ["v21.0", "2026-11-23", `Graph API v21.0 expires on 21 January 2027; ${advice}`],
  ["v21.0", "2026-10-01", null],
  ["v25.0", "2026-11-23", null],
  ["v26.0", "2030-01-01", null],
  ["v27.0", "2026-11-23", null],
  ["v3.2", "2026-11-23", `Graph API v3.2 has expired; Meta serves it as v21.0; ${advice}`],
])("%s on %s", (version, on, notice) => {
  expect(graphVersionNotice(version, Date.parse(on))).toBe(notice);
});

test("the current version needs no word", () => {
  expect(graphVersionNotice(CURRENT_GRAPH_VERSION, Date.parse("2026-11-23"))).toBeNull();
});
